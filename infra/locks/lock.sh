#!/usr/bin/env bash
# Write the hashed locks anew (needs uv). Locks carry hashes and no index address, so any mirror serves them.
set -euo pipefail
cd "$(dirname "$0")/../.."
lock_from() {
  local from=$1 out=$2
  shift 2
  uv pip compile "$from" --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links --upgrade "$@" --output-file "infra/locks/$out.txt" >/dev/null
  echo "infra/locks/$out.txt: $(grep -c '==' "infra/locks/$out.txt") packages"
}
lock() {
  lock_from pyproject.toml "$@"
}
lock dev --extra cli --extra training --extra onnx --group dev
lock score --extra onnx --constraints infra/locks/dev.txt
lock tables --extra ingest --constraints infra/locks/dev.txt
lock training --extra training --constraints infra/locks/dev.txt
lock grid-dev --extra grid --group grid
lock grid --extra grid --group build --constraints infra/locks/grid-dev.txt
# What Lambda itself brings along, and the usual stack that a cold start is compared with (`make runtime`).
echo awslambdaric | lock_from - ric
printf '%s\n' boto3 lightgbm pandas pyarrow scikit-learn | lock_from - naive --constraints infra/locks/dev.txt
# Tools that pin a botocore of their own live in environments of their own (`make check`).
echo aws-sam-cli | lock_from - sam
echo checkov | lock_from - checkov
