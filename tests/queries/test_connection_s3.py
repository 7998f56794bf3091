"""The same views on S3, from a local server and without a network."""

import os
from typing import Any

import boto3
import pytest

from wattahead.domain.errors import Refused
from wattahead.queries import connection as adapter
from wattahead.queries.connection import connect
from wattahead.storage.objects import open_bucket


@pytest.mark.parametrize("prefix", ["", "/team/energy", "/it's"])
def test_an_empty_bucket_on_s3_has_every_view_without_rows(s3_url: str, prefix: str) -> None:
    with connect(s3_url + prefix) as connection:
        for view in ("forecasts", "latest", "as_of(now())", "actuals", "actuals_joined", "external", "runs"):
            assert connection.execute(f"SELECT * FROM {view}").fetchall() == []


@pytest.mark.parametrize("prefix", ["", "/team/energy", "/it's"])
def test_the_plain_line_gives_the_rows_of_the_view_on_s3(s3_url: str, prefix: str, rows: Any) -> None:
    bucket = open_bucket(s3_url + prefix)
    rows.forecasts(bucket, "2026-11-20T05:00Z")
    rows.forecasts(bucket, "2026-11-20T06:00Z", extra=("p05",))
    path = (s3_url + prefix).replace("'", "''")

    # SQL throughout: `relation.order()` asks S3 while it holds the GIL, and this server is a thread of this process.
    with connect(s3_url + prefix) as connection:
        plain = f"read_parquet('{path}/forecasts/**/*.parquet', hive_partitioning=true, union_by_name=true)"
        names = ", ".join(column[0] for column in connection.execute("DESCRIBE forecasts").fetchall())
        view, file = (
            connection.execute(f"SELECT {names} FROM {source} ORDER BY series_id, valid_time, issue_time").fetchall()
            for source in ("forecasts", plain)
        )

    assert view == file
    assert len(view) == 8


def test_every_view_reads_s3(s3_url: str, rows: Any) -> None:
    bucket = open_bucket(s3_url)
    rows.forecasts(bucket, "2026-11-20T05:00Z")
    rows.forecasts(bucket, "2026-10-31T05:00Z")
    rows.forecasts(bucket, "2026-10-31T05:00Z", key="archive/forecasts/issue_month=2026-10/abcdef123456.parquet")
    rows.actuals(bucket, "actuals/key=production/subkey=solar/date=2026-11-20",
                 [("2026-11-20T05:00Z", 5.2, "2026-11-20T07:00Z")])  # fmt: skip
    rows.external(bucket, "external/provider=operator/init_date=2026-11-01", load=7.0)
    rows.attempt(bucket, "2026-11-20T05:00Z", "aa" * 8)

    with connect(s3_url) as connection:
        counts = {view: connection.execute(f"SELECT count(*) FROM {view}").fetchall()[0][0] for view in
                  ("forecasts", "latest", "actuals", "external", "runs")}  # fmt: skip
        inside = connection.execute("SELECT inside_band FROM actuals_joined WHERE actual IS NOT NULL").fetchall()

    assert counts == {"forecasts": 8, "latest": 8, "actuals": 1, "external": 1, "runs": 1}
    assert inside == [(True,)]


def test_the_secret_key_is_not_shown(s3_url: str) -> None:
    with connect(s3_url) as connection:
        [(shown,)] = connection.execute("SELECT secret_string FROM duckdb_secrets()").fetchall()

    assert "secret=redacted" in shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:9000", {"ENDPOINT": "'127.0.0.1:9000'", "URL_STYLE": "'path'", "USE_SSL": "false"}),
        ("https://s3.example.org/", {"ENDPOINT": "'s3.example.org'", "URL_STYLE": "'path'", "USE_SSL": "true"}),
        ("https://it's.example.org", {"ENDPOINT": "'it''s.example.org'", "URL_STYLE": "'path'", "USE_SSL": "true"}),
    ],
)
def test_an_endpoint_becomes_settings_of_the_secret(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: dict[str, str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://not-this-one")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)

    assert adapter._endpoint() == expected


def test_an_endpoint_without_a_scheme_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "localhost:9000")

    with pytest.raises(Refused, match="E_CONFIG: the S3 endpoint 'localhost:9000' is not an address"):
        adapter._endpoint()


def test_missing_credentials_are_said(s3_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    bucket = open_bucket(s3_url)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": str(tmp_path / "none"),
                        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    with pytest.raises(Refused, match="E_CONFIG: there are no AWS credentials"):
        connect(bucket.url)
