#!/usr/bin/env bash
# Write the hashed locks anew (needs uv). Locks carry hashes and no index address, so any mirror serves them.
set -euo pipefail
cd "$(dirname "$0")/../.."
lock() {
  local out=$1
  shift
  uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links --upgrade "$@" --output-file "infra/locks/$out.txt" >/dev/null
  echo "infra/locks/$out.txt: $(grep -c '==' "infra/locks/$out.txt") packages"
}
lock dev --extra cli --extra training --group dev
lock score --constraints infra/locks/dev.txt
lock tables --extra ingest --constraints infra/locks/dev.txt
lock training --extra training --constraints infra/locks/dev.txt
