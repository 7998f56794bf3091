"""Ingest: files of a mapped source become actuals, weather and external forecasts in the bucket."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from wattahead.domain.errors import Refused
from wattahead.domain.plan import LIVE_WINDOW
from wattahead.jobs.news import news
from wattahead.sources.columns import FileRows
from wattahead.sources.contract import check
from wattahead.sources.findings import Findings, Refusal, shown
from wattahead.sources.mapping import Column, SourceMapping, Table, with_publication_delay
from wattahead.sources.reading import read_csv
from wattahead.sources.reshape import Piece, reshape
from wattahead.storage import timeseries
from wattahead.storage.objects import Bucket
from wattahead.storage.tables import INSTANT, MOST_BYTES, NAME, read_parquet
from wattahead.storage.timeseries import Root


@dataclass(frozen=True)
class IngestReport:
    """What one ingest did. Series that are not named in `refused` are in the bucket, whole."""

    rows: dict[str, int]  # rows that hold the contract, by the table's prefix in the bucket
    objects: tuple[str, ...]  # keys that this call created; rows already stored create nothing
    refused: tuple[Refusal, ...]
    warnings: tuple[str, ...]


def ingest(
    bucket: Bucket,
    mapping: SourceMapping,
    path: Path | str,
    *,
    now: int,
    publication_delay: str = "",
    live: bool = False,
) -> IngestReport:
    """Store what `mapping` describes in the file or folder `path`, and report what was refused and why.

    `now` [µs] is the clock: what was not over by then is refused; months that ended 7 days before become month objects.
    `publication_delay` replaces the mapping's for all actuals whose availability is assumed. `live` files are read as
    they arrive: only what is new in them is stored, as known at `now` at the earliest; an import of the past goes by
    the mapping's rule alone.
    """
    mapping = with_publication_delay(mapping, publication_delay) if publication_delay else mapping
    findings = Findings()
    pieces = [
        piece
        for file, tables in _files(Path(path), mapping, findings)
        for piece in _read(file, tables, mapping, findings)
    ]
    rows: dict[str, int] = {}
    created: list[str] = []
    for group in _targets(pieces).values():
        table, root = _checked(group, now, findings)
        if live and table.num_rows:
            table = news(bucket, root, table, now=now)
        if table.num_rows:
            rows[root.prefix] = rows.get(root.prefix, 0) + table.num_rows
            created += timeseries.store(bucket, root, table, closed_before=now - LIVE_WINDOW)
    return IngestReport(rows, tuple(created), tuple(findings.refused), tuple(findings.warnings))


def _files(path: Path, mapping: SourceMapping, findings: Findings) -> list[tuple[Path, list[Table]]]:
    """Return every file with the tables that it holds rows for."""
    found: dict[Path, list[Table]] = {}
    for table in mapping.tables:
        matches = [file for glob in table.files for file in _matches(path, glob)]
        for file in dict.fromkeys(matches):
            found.setdefault(file, []).append(table)
        if not matches and not table.optional and path.is_dir():
            findings.refuse(f"{table.kind} {table.provider}".strip(), _absent(path, table.files))
    if not found:
        raise _absent(path, [glob for table in mapping.tables for glob in table.files])
    return sorted(found.items())


def _matches(path: Path, glob: str) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.glob(glob) if file.is_file())
    return [path] if path.is_file() and PurePath(path.absolute()).match(glob.removeprefix("**/")) else []


def _absent(path: Path, globs: Sequence[str]) -> Refused:
    return Refused(
        "E_FEAT_MISSING",
        f"{path.name!a} holds no file {' or '.join(dict.fromkeys(globs))}"[:300],
        fix="give the folder or file that the mapping was written for",
    )


def _read(file: Path, tables: list[Table], mapping: SourceMapping, findings: Findings) -> Iterator[Piece]:
    """Yield the pieces of one file. A file that cannot be read is refused; the other files go on."""
    where = shown(file.name)
    try:
        rows = _decoded(file, tables, where, findings)
    except Refused as error:
        findings.refuse(file.name, error)
        return
    for source in tables:
        try:
            yield from reshape(rows, source, mapping.zones, path_zone=_path_zone(file, source), findings=findings)
        except Refused as error:
            findings.refuse(f"{file.name} ({source.kind})", error)


def _decoded(file: Path, tables: list[Table], where: str, findings: Findings) -> FileRows:
    body = _body(file, where)
    wanted = list(dict.fromkeys(name for table in tables for name in table.read))
    if tables[0].format == "csv":
        formats = {table.time_column: table.time_format for table in tables if table.time_format}
        rows = read_csv(body, where=where, time_formats=formats)
        names = rows.column_names
    else:
        rows = read_parquet(body, where=where, columns=wanted)  # what the mapping does not name is never decoded
        names = pq.read_schema(pa.BufferReader(body)).names
    extra = ", ".join(shown(name) for name in names if name not in wanted)
    if extra:
        findings.warn("W_FEAT_EXTRA", where, f"columns that the mapping does not name were ignored: {extra[:300]}")
    return FileRows(where, rows, tuple(names))


def _body(file: Path, where: str) -> bytes:
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise Refused("E_FEAT_TOO_BIG", f"{where} has {size} bytes, more than {MOST_BYTES}", fix="split it")
        return file.read_bytes()
    except OSError as error:
        raise Refused(
            "E_FEAT_MISSING",
            f"{where} cannot be read ({type(error).__name__})",
            fix="check its permissions, or write it again",
        ) from error


def _path_zone(file: Path, source: Table) -> str:
    full = file.absolute()
    return {"file": full.stem, "folder": full.parent.name, "folder_above": full.parent.parent.name}.get(
        source.zone_from, ""
    )


def _targets(pieces: list[Piece]) -> dict[tuple[str, ...], list[Piece]]:
    """Group pieces by what they are stored as: one signal, or all variables of one provider."""
    groups: dict[tuple[str, ...], list[Piece]] = {}
    for piece in pieces:
        kind = piece.table.kind
        name = piece.columns[0].to if kind == "actuals" else piece.table.provider
        groups.setdefault((kind, name), []).append(piece)
    return groups


def _checked(group: list[Piece], now: int, findings: Findings) -> tuple[pa.Table, Root]:
    """Return the rows of a target that hold the contract, as its table in the bucket, and where that is."""
    source = group[0].table
    columns: dict[str, Column] = {column.to: column for piece in group for column in piece.columns}
    rows = check(
        pl.concat([piece.rows for piece in group], how="diagonal"),
        source,
        tuple(columns.values()),
        now=now,
        findings=findings,
    )
    if source.kind == "actuals":
        key, subkey = group[0].columns[0].to.split("/")
        return _actuals(
            rows, next(iter(columns)), "stated" if source.available_column else "assumed"
        ), timeseries.actuals(key, subkey)
    root = timeseries.weather if source.kind == "weather" else timeseries.external
    return _forecasts(rows, sorted(columns)), root(source.provider)


def _actuals(rows: pl.DataFrame, value: str, availability: str) -> pa.Table:
    return pa.table(
        {
            "zone": _names(rows["zone"]),
            "valid_time": _instants(rows["valid_time"]),
            "value": rows[value].to_arrow(),
            "available_at": _instants(rows["available_at"]),
            "availability": _names(pl.Series([availability]).new_from_index(0, rows.height)),
        }
    )


def _forecasts(rows: pl.DataFrame, variables: list[str]) -> pa.Table:
    times = {name: _instants(rows[name]) for name in ("nwp_init_time", "available_at", "valid_time")}
    values = {name: rows[name].cast(pl.Float32).to_arrow() for name in variables}
    return pa.table({"zone": _names(rows["zone"]), "point": rows["point"].to_arrow(), **times, **values})


def _instants(column: pl.Series) -> pa.Array:
    return column.to_arrow().cast(INSTANT)


def _names(column: pl.Series) -> pa.Array:
    return column.to_arrow().cast(pa.string()).dictionary_encode().cast(NAME)
