"""Model bundles: written once under the hash of their content, verified before anything reads them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from wattahead.domain.bundle import MANIFEST_VERSION, BundleFile, Manifest
from wattahead.domain.errors import Damaged, Refused
from wattahead.storage import keys
from wattahead.storage.documents import decode, encode
from wattahead.storage.objects import Bucket, sha256

MOST_BYTES = 50 * 2**20


def sealed(manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
    """Return the manifest with the size and hash of every file in it."""
    listed = tuple(
        BundleFile(path, "lightgbm" if path.endswith(".txt") else "json", sha256(body), len(body))
        for path, body in sorted(files.items())
    )
    return replace(manifest, files=listed)


def publish(bucket: Bucket, manifest: Manifest, files: Mapping[str, bytes]) -> str:
    """Write a sealed bundle, files first, and return its id. The same content again changes nothing."""
    body = encode(manifest)
    bundle_id = sha256(body)
    folder = keys.bundle(manifest.pool, bundle_id)
    for path, content in [*files.items(), ("manifest.json", body)]:
        # The id covers every byte: another body under this key is damage, and a ladder must not point at it.
        _verified(bucket.create(f"{folder}/{path}", content).body, sha256(content), path)
    return bundle_id


def fetch(bucket: Bucket, pool: str, bundle_id: str) -> tuple[Manifest, dict[str, bytes]]:
    """Return manifest and files of a bundle, every byte verified; raise `E_BUNDLE_…` otherwise."""
    folder = keys.bundle(pool, bundle_id)
    try:
        body = bucket.read(f"{folder}/manifest.json", partial(_verified, digest=bundle_id, name="manifest.json"))
        _check_version(body)
        manifest = decode(Manifest, body, where=f"{folder}/manifest.json")
        _check(manifest, pool)
        wanted = [
            (f"{folder}/{file.path}", partial(_verified, digest=file.sha256, name=file.path)) for file in manifest.files
        ]
        bodies = bucket.read_all(wanted)
    except Refused as error:
        if error.code in ("E_FEAT_MISSING", "E_CONFIG"):
            raise Refused(
                "E_BUNDLE_FILES",
                f"bundle {bundle_id[:12]} of {pool} is incomplete: {error.fact}",
                fix="publish it again, or roll back",
            ) from error
        raise
    return manifest, {file.path: held for file, held in zip(manifest.files, bodies, strict=True)}


def _verified(body: bytes, digest: str, name: str) -> bytes:
    found = sha256(body)
    if found != digest:
        raise Damaged(
            "E_BUNDLE_HASH",
            f"{name} has hash {found[:12]}, not {digest[:12]}",
            fix="publish the bundle again, or roll back",
        )
    return body


def _check_version(body: bytes) -> None:
    """A newer manifest may have fields this runtime does not know, so its version is looked at before its form."""
    try:
        version = json.loads(body)["manifest_version"]
    except (ValueError, KeyError, TypeError):
        return  # decoding says better what is wrong
    if isinstance(version, int) and version > MANIFEST_VERSION:
        raise Refused(
            "E_BUNDLE_VERSION", f"manifest version {version} is newer than {MANIFEST_VERSION}", fix="upgrade wattahead"
        )


def _check(manifest: Manifest, pool: str) -> None:
    if manifest.pool != pool:
        raise Refused("E_BUNDLE_FILES", f"a bundle of pool {manifest.pool} stands under {pool}", fix="publish it again")
    if sum(file.bytes for file in manifest.files) > MOST_BYTES:
        raise Refused(
            "E_BUNDLE_FORMAT", f"bundle of {pool} is larger than {MOST_BYTES} bytes", fix="train a smaller model"
        )
