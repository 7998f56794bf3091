"""What ingest refuses: bad files, columns, names and times are told with their code, and their neighbours go on."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.jobs.meters import METERS, column, meters, refusals, run, stored, write
from wattahead.domain.errors import Refused
from wattahead.storage.objects import Bucket


def cut_off(file: Path) -> None:
    write(file, meters())
    file.write_bytes(file.read_bytes()[:-20])


BAD_FILES = [
    ("E_FEAT_EMPTY_FILE", lambda file: file.write_bytes(b"")),
    ("E_FEAT_NO_ROWS", lambda file: write(file, meters()[:0])),
    ("E_FEAT_FORMAT", lambda file: file.write_bytes(b"<!DOCTYPE html>")),
    ("E_FEAT_CORRUPT", cut_off),
    ("E_FEAT_COLUMN_DUP", lambda file: write(file, meters().append_column("solar", pa.array([1.0] * 6)))),
    ("E_FEAT_COLUMN_MISSING", lambda file: write(file, meters().rename_columns(["zone", "TS ", "solar", "wind"]))),
    ("E_FEAT_DTYPE", lambda file: write(file, column("ts", pa.array([1_612_137_600] * 6)))),
    ("E_FEAT_DTYPE", lambda file: write(file, column("ts", pa.array(["2021-02-01T00:00Z"] * 6)))),
    ("E_FEAT_DTYPE", lambda file: write(file, column("zone", pa.array([1] * 6)))),
    ("E_TIME_NAIVE", lambda file: write(file, column("ts", meters()["ts"].cast(pa.timestamp("us"))))),
]


@pytest.mark.parametrize(("code", "spoil"), BAD_FILES)
def test_a_bad_file_is_refused_and_the_next_one_goes_on(
    bucket: Bucket, folder: Path, code: str, spoil: Callable[[Path], object]
) -> None:
    spoil(folder / "bad.parquet")

    report = run(bucket, folder)

    assert [refusal.code for refusal in report.refused] == [code]
    assert report.refused[0].series.startswith("bad.parquet")
    assert len(stored(bucket)) == 6


BAD_COLUMNS = [
    ("E_FEAT_DTYPE", pa.array(["1"] * 6)),
    ("E_FEAT_DTYPE", pa.array([True] * 6)),
    ("E_FEAT_DTYPE", pc.cast(pa.array([1.0] * 6), pa.decimal128(9, 2))),
    ("E_FEAT_DTYPE", pa.array([1.0] * 6).cast(pa.float16())),
    ("E_FEAT_DTYPE", pa.array([[1.0]] * 6)),
]


@pytest.mark.parametrize(("code", "values"), BAD_COLUMNS)
def test_a_mistyped_column_is_refused_and_its_neighbour_goes_on(
    bucket: Bucket, tmp_path: Path, code: str, values: pa.Array
) -> None:
    write(tmp_path / "meters.parquet", column("solar", values))

    report = run(bucket, tmp_path)

    assert refusals(report) == [("production/solar", code)]
    assert len(stored(bucket, "wind")) == 5


def test_a_missing_column_is_refused_with_the_nearest_name(bucket: Bucket, tmp_path: Path) -> None:
    write(tmp_path / "meters.parquet", meters().rename_columns(["zone", "ts", "Solar ", "wind"]))

    report = run(bucket, tmp_path)

    assert "solar (nearest: 'Solar ')" in report.refused[0].sentence
    assert len(stored(bucket, "wind")) == 5


@pytest.mark.parametrize(
    "name",
    ["../models", "..%2f", "%252e", "a\\b", "/etc", "S\0E", "SE\nlog", "S" * 300, "\u0421E", "A\u030a", "\u200fSE",
     "", ".", "SE=1", "S*", "S?", "se"],
)  # fmt: skip
def test_a_zone_with_a_bad_name_is_refused_and_shown_in_ascii(bucket: Bucket, tmp_path: Path, name: str) -> None:
    write(tmp_path / "meters.parquet", column("zone", pa.array([name] * 3 + ["US-NE-ISNE"] * 3)))

    report = run(bucket, tmp_path)

    assert [refusal.code for refusal in report.refused] == ["E_NAME"]
    assert report.refused[0].series.isascii()
    assert "\n" not in report.refused[0].sentence
    assert {row[0] for row in stored(bucket)} == {"US-NE-ISNE"}


def test_a_strict_mapping_refuses_a_zone_that_it_does_not_name(bucket: Bucket, folder: Path) -> None:
    strict = METERS + '\n[zones]\nstrict = true\n[zones.names]\nSE = "SE"\n'

    report = run(bucket, folder, strict)

    assert refusals(report) == [("US-NE-ISNE", "E_ZONE_MISMATCH")]


def test_times_of_another_zone_are_converted_and_noted(bucket: Bucket, tmp_path: Path) -> None:
    write(tmp_path / "meters.parquet", column("ts", meters()["ts"].cast(pa.timestamp("us", "Europe/Stockholm"))))

    report = run(bucket, tmp_path)

    assert stored(bucket)[0][1] == "2021-02-01T00:00Z"
    assert any(line.startswith("W_TIME_TZ meters.parquet") for line in report.warnings)


def test_local_times_around_a_clock_change_are_refused(bucket: Bucket, tmp_path: Path) -> None:
    autumn = pa.array(["2020-10-25T02:00:00"] * 6).cast(pa.timestamp("us"))
    write(tmp_path / "meters.parquet", column("ts", autumn))
    local = METERS.replace('zone_column = "zone"', 'zone_column = "zone"\ntime_zone = "Europe/Stockholm"')

    assert [refusal.code for refusal in run(bucket, tmp_path, local).refused] == ["E_TIME_NAIVE"]


def test_a_path_without_any_file_of_the_mapping_is_an_error(bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="E_FEAT_MISSING"):
        run(bucket, tmp_path)


def test_a_ragged_csv_is_corrupt_and_its_content_is_not_shown(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "meters.csv").write_text("zone,ts,solar,wind\nSE,secret\n", encoding="utf-8")

    report = run(bucket, tmp_path, METERS.replace("parquet", "csv"))

    assert [refusal.code for refusal in report.refused] == ["E_FEAT_CORRUPT"]
    assert "secret" not in report.refused[0].sentence


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("E_FEAT_EMPTY_FILE", b"\n"),
        ("E_FEAT_NO_ROWS", b"zone,ts,solar,wind\n"),
        ("E_FEAT_FORMAT", b"\xef\xbb\xbf<html>"),
        ("E_FEAT_FORMAT", b"PAR1"),
        ("E_FEAT_CORRUPT", b"zone,ts,solar,w\xffnd\nSE,2021-02-01T00:00Z,1,2\n"),
        ("E_FEAT_DTYPE", b"zone,ts,solar,wind\n\xff\xfe,2021-02-01T00:00Z,1,2\n"),
        ("E_FEAT_COLUMN_DUP", b"zone,ts,solar,solar\nSE,2021-02-01T00:00Z,1,2\n"),
        ("E_FEAT_COLUMN_MISSING", b"zone;ts;solar;wind\nSE;2021-02-01T00:00Z;1;2\n"),
        ("E_FEAT_DTYPE", b"zone,ts,solar,wind\nSE,1 Feb 2021,1,2\n"),
        ("E_TIME_NAIVE", b"zone,ts,solar,wind\nSE,2021-02-01 00:00:00,1,2\n"),
        (
            "E_FEAT_TOO_MANY_COLUMNS",
            ",".join(f"c{number}" for number in range(501)).encode() + b"\n" + b"," * 500 + b"\n",
        ),
    ],
)
def test_a_bad_csv_file_is_refused_with_its_code(bucket: Bucket, tmp_path: Path, code: str, body: bytes) -> None:
    (tmp_path / "meters.csv").write_bytes(body)

    report = run(bucket, tmp_path, METERS.replace("parquet", "csv"))

    assert [refusal.code for refusal in report.refused] == [code]
    assert report.objects == ()
