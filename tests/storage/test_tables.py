"""Parquet: what is written, and what is checked before a row is believed."""

import random
from collections.abc import Callable
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattahead.domain.errors import Damaged, Refused
from wattahead.domain.hours import HOUR, instant
from wattahead.storage import tables
from wattahead.storage.tables import INSTANT, NAME, decode_table, encode_table, read_parquet, select

START = instant("2021-03-28T00:00Z")  # Europe leaves its winter time at 01:00
TIMES = [START, START + HOUR, START + 2 * HOUR]
SCHEMA = {"zone": NAME, "valid_time": INSTANT, "value": pa.float64(), "point": pa.int16()}
ROWS = pa.table({
    "zone": pa.array(["FR", "DE", "FR"]).cast(NAME), "valid_time": pa.array(TIMES, INSTANT),
    "value": [1.5, None, -0.0], "point": pa.array([0, 1, 2], pa.int16()),
})  # fmt: skip
MUTANTS = 300


def parquet(table: pa.Table) -> bytes:
    """Return what another program would have written: no checksums, no mark of ours."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


def with_column(name: str, values: pa.Array) -> pa.Table:
    return ROWS.set_column(ROWS.column_names.index(name), name, values)


def refusal(body: bytes) -> str:
    """Return the code under which a body is refused."""
    with pytest.raises(Refused) as refused:
        decode_table(body, SCHEMA, where="a/1.parquet")
    assert "a/1.parquet" in str(refused.value)
    return refused.value.code


def code(table: pa.Table) -> str:
    return refusal(parquet(table))


# Writing


def test_a_table_read_back_is_the_table() -> None:
    assert decode_table(encode_table(ROWS), SCHEMA, where="x").equals(ROWS)


@given(st.lists(st.tuples(st.sampled_from(["FR", "DE", None]), st.none() | st.floats()), min_size=1, max_size=20))
def test_any_rows_read_back_are_the_rows(rows: list[tuple[str | None, float | None]]) -> None:
    table = pa.table(
        {
            "zone": pa.array([zone for zone, _ in rows]).cast(NAME),
            "value": pa.array([value for _, value in rows], pa.float64()),
        }
    )

    found = decode_table(encode_table(table), {"zone": NAME, "value": pa.float64()}, where="x")

    assert str(found.to_pylist()) == str(table.to_pylist())  # NaN is not equal to itself


def test_equal_tables_are_equal_bytes_however_they_are_cut_into_chunks() -> None:
    pieces = pa.concat_tables([ROWS.slice(0, 1), ROWS.slice(1)]).unify_dictionaries()

    assert encode_table(pieces) == encode_table(ROWS)


def test_what_others_noted_in_the_schema_does_not_move_a_byte() -> None:
    noted = ROWS.replace_schema_metadata({"pandas": "object", "made": "2021-03-28"})

    assert encode_table(noted) == encode_table(ROWS)


def test_a_file_says_its_schema_version() -> None:
    assert pq.read_schema(pa.BufferReader(encode_table(ROWS))).metadata[b"wattahead_schema"] == b"1.0"


# Files


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "E_FEAT_EMPTY_FILE"),
        (b"zone,value\nFR,1\n", "E_FEAT_FORMAT"),
        (b"<html>503</html>", "E_FEAT_FORMAT"),
        (b"PAR", "E_FEAT_FORMAT"),
        (b"PAR1", "E_FEAT_CORRUPT"),
        (b"PAR1PAR1", "E_FEAT_CORRUPT"),
        (b"PAR1" + bytes(400) + b"PAR1", "E_FEAT_CORRUPT"),
        (b"PARE" + bytes(20), "E_FEAT_FORMAT"),  # an encrypted footer
    ],
)
def test_a_body_that_is_no_parquet_is_refused(body: bytes, expected: str) -> None:
    assert refusal(body) == expected


def test_a_wrong_file_shows_its_first_bytes_in_hex_and_nothing_else() -> None:
    with pytest.raises(Refused, match="begins with 73 65 63 72 65 74 3d 31\\.") as refused:
        decode_table(b"secret=1234", SCHEMA, where="x")

    assert "secret" not in str(refused.value)


def test_a_file_without_rows_is_refused() -> None:
    assert code(ROWS.slice(0, 0)) == "E_FEAT_NO_ROWS"


def test_a_file_without_columns_is_refused() -> None:
    assert code(pa.table({})) == "E_FEAT_NO_ROWS"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_file_that_is_cut_off_is_damaged(share: float) -> None:
    body = encode_table(ROWS)

    with pytest.raises(Damaged, match="E_FEAT_CORRUPT"):
        decode_table(body[: int(len(body) * share)], SCHEMA, where="x")


def test_a_file_of_too_many_bytes_is_refused_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 10)

    assert refusal(b"PAR1" + bytes(7)) == "E_FEAT_TOO_BIG"


def test_too_many_rows_are_counted_before_any_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = parquet(pa.table({"value": pa.array([0.0]).take(pa.array([0] * 2_000_000))}))
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *_, **__: pytest.fail("the rows were decoded"))

    with pytest.raises(Refused, match="E_FEAT_TOO_MANY_ROWS: x has 2000000 rows, more than 1999999"):
        read_parquet(bomb, where="x", most_rows=1_999_999)
    assert len(bomb) < 10_000


def test_too_many_columns_are_refused() -> None:
    assert code(pa.table({f"c{number}": [1] for number in range(501)})) == "E_FEAT_TOO_MANY_COLUMNS"


def test_a_column_that_stands_twice_is_refused() -> None:
    assert code(ROWS.append_column("value", ROWS["value"])) == "E_FEAT_COLUMN_DUP"


# Damage: a page has a checksum, the footer has none


def outcome(body: bytes) -> str:
    """Return `same` for the rows as written, the code of a refusal, or `silent` for other rows."""
    try:
        found = decode_table(body, SCHEMA, where="x")
    except Refused as refused:
        return refused.code
    return "same" if found.equals(ROWS) else "silent"


def mutants(body: bytes) -> list[bytes]:
    draw = random.Random(20210328)
    made = []
    for _ in range(MUTANTS):
        changed = bytearray(body)
        for _ in range(draw.choice((1, 1, 2, 4))):
            changed[draw.randrange(len(body))] ^= 1 << draw.randrange(8)
        made.append(bytes(changed))
    return made


def test_no_mutant_gives_other_rows() -> None:
    outcomes = [outcome(mutant) for mutant in mutants(encode_table(ROWS))]

    assert "silent" not in outcomes
    assert {"E_FEAT_CHECKSUM", "E_FEAT_CORRUPT"} < set(outcomes)


def test_no_bit_of_the_footer_changes_a_row_or_raises_anything_else() -> None:
    body = encode_table(ROWS)
    footer = len(body) - 8 - int.from_bytes(body[-8:-4], "little")
    schema = body.index(b"wattahead_schema", footer)  # what is behind it only repeats the schema for Arrow

    outcomes = {
        outcome(body[:at] + bytes([body[at] ^ 1 << bit]) + body[at + 1 :])
        for at in range(footer, schema)
        for bit in range(8)
    }

    assert "silent" not in outcomes


def test_a_unit_that_a_flipped_bit_made_of_ours_is_damage() -> None:
    body = encode_table(with_column("valid_time", pa.array(TIMES, INSTANT).cast(pa.timestamp("ms", "UTC"))))

    with pytest.raises(
        Damaged, match=r"E_FEAT_CORRUPT: x: the footer gives column valid_time as timestamp\[ms, tz=UTC\]"
    ):
        decode_table(body, SCHEMA, where="x")


# Columns


def test_columns_are_chosen_by_name_and_the_others_are_ignored() -> None:
    shuffled = ROWS.append_column("note", pa.array(["x"] * 3)).select(["point", "note", "value", "zone", "valid_time"])

    assert decode_table(parquet(shuffled), SCHEMA, where="x").equals(ROWS)


def test_an_ignored_column_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    read = pq.ParquetFile.read

    def spy(file: pq.ParquetFile, columns: list[str]) -> pa.Table:
        asked.append(columns)
        return read(file, columns)

    monkeypatch.setattr(pq.ParquetFile, "read", spy)

    decode_table(parquet(ROWS.append_column("note", pa.array(["x"] * 3))), SCHEMA, where="x")

    assert asked == [list(SCHEMA)]


@pytest.mark.parametrize("near", ["Value", "value ", "VALUE", "valu", "values"])
def test_a_missing_column_is_named_with_its_nearest(near: str) -> None:
    renamed = ROWS.rename_columns(["zone", "valid_time", near, "point"])

    with pytest.raises(
        Refused, match=f"x lacks value .nearest: {near.strip().lower()}.; it has 'zone', 'valid_time', '"
    ):
        decode_table(parquet(renamed), SCHEMA, where="x")


def test_all_missing_columns_are_named() -> None:
    with pytest.raises(Refused, match="E_FEAT_COLUMN_MISSING: x lacks zone, point; it has 'valid_time', 'value'"):
        decode_table(parquet(ROWS.select(["valid_time", "value"])), SCHEMA, where="x")


def test_a_file_with_none_of_the_columns_lacks_them() -> None:
    assert code(pa.table({"other": [1]})) == "E_FEAT_COLUMN_MISSING"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("value", pa.array(["a", "b", "c"])),
        ("value", pa.array(["1.5", "2.5", "3.5"])),
        ("value", pa.array([Decimal("1.5")] * 3, pa.decimal128(5, 2))),
        ("value", pa.array([1.5, 2.5, 3.5], pa.float16())),
        ("value", pa.array([True, False, True])),
        ("value", pa.array([[1.5], [2.5], []])),
        ("value", pa.array([{"mw": 1.5}] * 3)),
        ("value", pa.array([b"1", b"2", b"3"])),
        ("value", pa.array(TIMES, INSTANT)),
        ("valid_time", pa.array(["2021-03-28T00:00Z"] * 3)),
        ("valid_time", pa.array(TIMES)),
        ("valid_time", pa.array([18714] * 3, pa.int32()).cast(pa.date32())),
        ("zone", pa.array([1, 2, 3])),
        ("zone", pa.array([1, 2, 3]).dictionary_encode()),
        ("zone", pa.array([["FR"]] * 3)),
        ("point", pa.array([0.0, 1.0, 2.0])),
        ("point", pa.array([0, 1, 40_000])),
    ],
    ids=lambda value: str(getattr(value, "type", value)),
)
def test_a_type_that_would_need_a_guess_is_refused(name: str, values: pa.Array) -> None:
    assert code(with_column(name, values)) == "E_FEAT_DTYPE"


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("value", pa.array([1, None, 3], pa.int64()), [1.0, None, 3.0]),
        ("value", pa.array([1, 2, 3], pa.uint8()), [1.0, 2.0, 3.0]),
        ("value", pa.array([1.5, None, 2.5], pa.float32()), [1.5, None, 2.5]),
        ("point", pa.array([0, 1, 2], pa.int64()), [0, 1, 2]),
        ("zone", pa.array(["FR", None, "FR"]), ["FR", None, "FR"]),
        ("zone", pa.array(["FR", "DE", "FR"], pa.large_string()), ["FR", "DE", "FR"]),
        ("zone", pa.array(["FR", "DE", "FR"]).dictionary_encode(), ["FR", "DE", "FR"]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_a_type_that_holds_the_same_is_taken(name: str, values: pa.Array, expected: list[object]) -> None:
    found = decode_table(parquet(with_column(name, values)), SCHEMA, where="x")

    assert found.schema.field(name).type == SCHEMA[name]
    assert found[name].to_pylist() == expected


# Times


def test_a_time_without_a_zone_is_refused() -> None:
    assert code(with_column("valid_time", pa.array(TIMES, pa.timestamp("us")))) == "E_TIME_NAIVE"


@pytest.mark.parametrize("zone", ["Europe/Paris", "+05:30", "America/Los_Angeles"])
def test_a_time_of_another_zone_is_the_same_instant(zone: str) -> None:
    local = pa.array(TIMES, pa.timestamp("us", zone))

    assert decode_table(parquet(with_column("valid_time", local)), SCHEMA, where="x").equals(ROWS)


@pytest.mark.parametrize("unit", ["ms", "ns", "s"])
def test_a_time_in_another_unit_is_the_same_instant(unit: str) -> None:
    times = pa.array(TIMES, INSTANT).cast(pa.timestamp(unit, "UTC"))

    assert decode_table(parquet(with_column("valid_time", times)), SCHEMA, where="x").equals(ROWS)


def test_a_time_finer_than_a_microsecond_is_refused() -> None:
    assert code(with_column("valid_time", pa.array([1, 2, 3], pa.timestamp("ns", "UTC")))) == "E_FEAT_DTYPE"


def test_select_works_on_a_table_in_memory_as_on_a_file() -> None:
    assert select(ROWS, SCHEMA, where="x").equals(decode_table(encode_table(ROWS), SCHEMA, where="x"))


@pytest.mark.parametrize("change", [lambda body: body + b"x", lambda body: b"x" + body], ids=["behind", "before"])
def test_bytes_around_a_file_are_refused(change: Callable[[bytes], bytes]) -> None:
    assert refusal(change(encode_table(ROWS))) in ("E_FEAT_CORRUPT", "E_FEAT_FORMAT")
