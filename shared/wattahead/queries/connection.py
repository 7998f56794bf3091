"""DuckDB on a bucket: `connect(url)` and every view is there. Works without a network on S3 and on a folder."""

import os
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

import duckdb

from wattahead.domain.errors import Refused
from wattahead.queries import grid_views, views
from wattahead.queries.views import quoted
from wattahead.storage import keys
from wattahead.storage.objects import Bucket, open_bucket

# Whatever is not installed with the package is not fetched either: a query must not wait for a network.
OFFLINE: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
DEFAULT_REGION: Final = "us-east-1"


def connect(
    bucket_url: str, *, run: str | None = None, run_kind: str = "backfill", since: str = "", until: str = ""
) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection with the views of the bucket at `bucket_url`; times are in UTC.

    With `run`, `forecasts`, `grid_actions` and the views that stand on them hold that run's rows, not the live ones.
    `since` and `until` (`2021-01-31`) keep to issue dates between them: far fewer objects to open in a long history.
    Roots that were empty when connecting, and columns that come later, are seen by the next connection.
    On S3 the credentials are those of the moment; connect again when they have expired.

    >>> connect("file:///tmp/wattahead").sql("SELECT count(*) FROM latest").fetchall()
    [(0,)]
    """
    if urlsplit(bucket_url).scheme == "memory":
        raise Refused("E_CONFIG", "DuckDB cannot look into memory://", fix="use a folder or s3://bucket")
    kind = run_kind if run else "live"
    forecasts, grid_actions = (keys.table(workload, kind, run or "") for workload in ("forecast", "grid_action"))
    bucket = open_bucket(bucket_url)
    connection = duckdb.connect(config=OFFLINE)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET parquet_metadata_cache = true")  # objects are written once: what was read stays true
    if urlsplit(bucket_url).scheme == "s3":
        _open_s3(connection)
    scope = views.Scope(bucket, _base(bucket), forecasts, grid_actions, since, until)
    views.create(connection, scope)
    grid_views.create(connection, scope)
    return connection


def _base(bucket: Bucket) -> str:
    """Return where DuckDB finds the bucket, without a slash at its end."""
    parts = urlsplit(bucket.url)
    if parts.scheme == "s3":
        return f"s3://{parts.netloc}/{parts.path.strip('/')}".rstrip("/")
    return url2pathname(parts.path).rstrip("/")


def _open_s3(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"LOAD {quoted(str(_httpfs()))}")
    settings = ", ".join(f"{name} {value}" for name, value in _secret().items())
    connection.execute(f"CREATE SECRET wattahead (TYPE s3, {settings})")


def _httpfs() -> Path:
    """Return the extension that the package index carries: DuckDB's own download needs a network."""
    import duckdb_extension_httpfs  # noqa: PLC0415 - a folder needs neither extension nor credentials

    folder = Path(duckdb_extension_httpfs.__file__).parent / "extensions" / f"v{duckdb.__version__}"
    extension = folder / "httpfs.duckdb_extension"
    if not extension.is_file():
        raise Refused("E_CONFIG", f"duckdb-extension-httpfs has no extension for duckdb {duckdb.__version__}",
                      fix="install both in the same version")  # fmt: skip
    return extension


def _secret() -> dict[str, str]:
    """Return the settings of the S3 secret as SQL: whatever boto3 would use, from profile, variables or role."""
    import boto3  # noqa: PLC0415 - half a second that a folder never pays

    session = boto3.Session()
    credentials = session.get_credentials()
    if credentials is None:
        raise Refused("E_CONFIG", "there are no AWS credentials", fix="set AWS_PROFILE or AWS_ACCESS_KEY_ID, or log in")
    frozen = credentials.get_frozen_credentials()
    region = session.region_name or os.environ.get("AWS_REGION") or DEFAULT_REGION
    settings = {"KEY_ID": frozen.access_key, "SECRET": frozen.secret_key, "REGION": region}
    if frozen.token:
        settings["SESSION_TOKEN"] = frozen.token
    return {name: quoted(value) for name, value in settings.items()} | _endpoint()


def _endpoint() -> dict[str, str]:
    """Return where S3 is when it is not AWS, such as a server of one's own."""
    url = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not url:
        return {}
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Refused("E_CONFIG", f"the S3 endpoint {url!r} is not an address", fix="write it as https://host:port")
    address = (parts.netloc + parts.path).rstrip("/")
    return {"ENDPOINT": quoted(address), "URL_STYLE": "'path'", "USE_SSL": str(parts.scheme == "https").lower()}
