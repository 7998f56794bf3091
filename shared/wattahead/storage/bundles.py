"""Model bundles: written once under the hash of their content, verified before anything reads them."""

from collections.abc import Mapping
from dataclasses import replace

from wattahead.domain.bundle import BundleFile, Manifest
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
    for path, content in files.items():
        bucket.create(f"{folder}/{path}", content)
    bucket.create(f"{folder}/manifest.json", body)
    return bundle_id


def fetch(bucket: Bucket, pool: str, bundle_id: str) -> tuple[Manifest, dict[str, bytes]]:
    """Return manifest and files of a bundle, every byte verified; raise `E_BUNDLE_…` otherwise."""
    folder = keys.bundle(pool, bundle_id)
    try:
        body = bucket.read(f"{folder}/manifest.json", lambda held: _verified(held, bundle_id, "manifest.json"))
        manifest = decode(Manifest, body, where=f"{folder}/manifest.json")
        _check(manifest, pool)
        wanted = [(f"{folder}/{file.path}", lambda held, file=file: _verified(held, file.sha256, file.path)) for file in manifest.files]
        bodies = bucket.read_all(wanted)
    except Refused as error:
        if error.code in ("E_FEAT_MISSING", "E_CONFIG"):
            raise Refused("E_BUNDLE_FILES", f"bundle {bundle_id[:12]} of {pool} is incomplete: {error.fact}", fix="publish it again, or roll back") from error
        raise
    return manifest, {file.path: held for file, held in zip(manifest.files, bodies, strict=True)}


def _verified(body: bytes, digest: str, name: str) -> bytes:
    found = sha256(body)
    if found != digest:
        raise Damaged("E_BUNDLE_HASH", f"{name} has hash {found[:12]}, not {digest[:12]}", fix="publish the bundle again, or roll back")
    return body


def _check(manifest: Manifest, pool: str) -> None:
    if manifest.pool != pool:
        raise Refused("E_BUNDLE_FILES", f"a bundle of pool {manifest.pool} stands under {pool}", fix="publish it again")
    if sum(file.bytes for file in manifest.files) > MOST_BYTES:
        raise Refused("E_BUNDLE_FORMAT", f"bundle of {pool} is larger than {MOST_BYTES} bytes", fix="train a smaller model")
