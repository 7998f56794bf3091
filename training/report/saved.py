"""Pages in the bucket, each written once under a key that holds the hash of its content."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from wattahead.storage import keys
from wattahead.storage.objects import Bucket, sha256


def save_page(bucket: Bucket, kind: str, at: int, html: str) -> str:
    """Write a page and return its key.

    `kind` is `evaluation` or `training`, `at` the last issue time it is about, or until when was trained [µs].
    """
    body = html.encode()
    key = keys.report(kind, at, sha256(body)[:16])
    bucket.create(key, body)
    return key


def located(bucket: Bucket, key: str) -> str:
    """Return where a page is: a path in a folder, an address otherwise."""
    parts = urlsplit(bucket.url)
    return str(Path(url2pathname(parts.path)) / key) if parts.scheme == "file" else f"{bucket.url.rstrip('/')}/{key}"
