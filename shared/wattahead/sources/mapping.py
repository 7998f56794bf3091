"""What each column of somebody's parquet or CSV means: every statement is checked before a row is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wattahead.domain.errors import Refused
from wattahead.domain.hours import DAY, duration, instant
from wattahead.domain.names import checked
from wattahead.domain.series import Series

# Names that frames of forecasts use for themselves; a variable cannot have them.
_RESERVED: Final = frozenset((
    "zone", "point", "nwp_init_time", "available_at", "valid_time", "row", "label", "witness", "variable", "value",
    "stated_available", "stated_init", "start", "part",
))  # fmt: skip
# How a forecast says when it was known, and when it was made.
_STATED: Final = (
    "available_column", "available_before_valid", "available_after_init", "init_column", "init_before_valid",
)  # fmt: skip
_LONGEST_PERSISTENCE: Final = 3 * DAY  # runs older than this are not read
_ANYWHERE: Final = "AA"  # a valid zone, to check `key/subkey` with the rules of a series


@dataclass(frozen=True)
class Column:
    """One column of the source: what it becomes, in which unit, and which values are physically possible.

    The stored value is `source * factor + offset` in `unit`; everything else here speaks of the stored value.
    """

    to: str  # `key/subkey` of actuals; the variable's name in weather and external forecasts
    unit: str
    range: tuple[float, float]
    factor: float = 1.0
    offset: float = 0.0
    clip_from: float | None = None  # values from here to the lower end of the range are set to that end and counted
    outside_limit: float = (
        0.0  # a larger share of values outside the range refuses the series; up to it they are dropped
    )
    magnitude: tuple[
        str, ...
    ] = ()  # the source is the length of the vector with these columns, as wind speed of u and v
    publication_delay: str = ""  # replaces the table's
    optional: bool = False  # a file without this column is no fault
    blocks: Literal["", "mean", "sum", "end"] = (
        ""  # what the value of a block is, in a table with `block` (see `blocks`)
    )

    def __post_init__(self) -> None:
        low, high = self.range
        if not low < high or self.factor == 0:
            raise Refused(
                "E_CONFIG",
                f"column for {ascii(self.to)[:80]}: no value fits range {[low, high]}, factor {self.factor}",
                fix="write range = [lowest, highest] and a factor other than 0",
            )
        if self.clip_from is not None and self.clip_from > low:
            raise Refused(
                "E_CONFIG",
                f"column for {ascii(self.to)[:80]}: clip_from {self.clip_from} is above the lowest value {low}",
                fix="state a clip_from below the range",
            )
        if not 0 <= self.outside_limit < 1:
            raise Refused(
                "E_CONFIG",
                f"column for {ascii(self.to)[:80]}: outside_limit {self.outside_limit} is no share",
                fix="write 0.01 for one value in a hundred",
            )
        if self.publication_delay:
            duration(self.publication_delay)

    @property
    def meaning(self) -> tuple[object, ...]:
        """What two columns of one signal must agree on."""
        return self.unit, self.range, self.clip_from, self.outside_limit, self.blocks


@dataclass(frozen=True)
class Table:
    """One kind of rows in some of the files: which files, where zone and time stand, when values became known."""

    kind: Literal["actuals", "weather", "external"]
    files: tuple[str, ...]  # globs below the path that is ingested
    format: Literal["parquet", "csv"]
    time_column: str
    columns: Mapping[str, Column]  # by name in the source; by the value of `variable_column` in a long layout
    layout: Literal["wide", "long"] = "wide"
    variable_column: str = ""
    value_column: str = ""
    zone: str = ""  # one zone for all rows
    zone_column: str = ""
    zone_from: Literal["", "file", "folder", "folder_above"] = ""
    point_column: str = ""  # weather point; 0 when empty
    points: Mapping[str, int] = field(
        default_factory=dict
    )  # where that column holds names: name -> number of the point
    time_zone: str = ""  # states the zone of times that carry none
    time_format: str = ""  # strptime format of times in CSV that are not ISO 8601
    hour_label: Literal["beginning", "ending"] = "beginning"
    resolution: str = "PT1H"
    before: str = ""  # only rows whose label lies before this time
    null_when_zero: str = ""  # rows in which this column is 0 hold no data
    valid_shift: str = "PT0H"  # from the label in the row to the hour the value is about
    publication_delay: str = ""  # actuals and observed weather: from the end of the interval to available_at
    available_column: str = ""  # states available_at itself
    available_before_valid: str = ""  # forecasts: from available_at to valid_time
    available_after_init: str = ""
    init_column: str = ""  # forecasts: the run of the weather model, or when the forecast was made
    init_before_valid: str = ""
    init_cycle: str = "PT1H"  # an init time from a rule is floored to this
    provider: str = ""  # forecasts
    persistence: str = ""  # the weather is observed: each value is the forecast for the time this much later
    block: str = ""  # forecasts: the source repeats one value for all intervals of a block this long
    block_restart: str = ""  # means and sums of blocks start anew this often, counted from 00 UTC
    gap_limit: str = "P400D"  # a longer gap refuses the series
    null_limit: float = 1.0  # a larger share of missing values refuses the series
    optional: bool = False  # a folder without such files is no fault

    def __post_init__(self) -> None:
        _exactly_one(self, "zone", "zone_column", "zone_from")
        if self.layout == "long" and not (self.variable_column and self.value_column):
            raise _unusable(self, "layout long needs variable_column and value_column")
        for name in ("resolution", "valid_shift", "init_cycle", "gap_limit"):
            duration(getattr(self, name))
        if DAY % (self.step or 1) or not self.step:
            raise _unusable(self, f"resolution {self.resolution} does not divide a day")
        if self.before:
            instant(self.before)
        if self.time_zone:
            _check_time_zone(self)
        targets = [column.to for column in self.columns.values()]
        if len(set(targets)) < len(targets) or not targets or not self.files:
            raise _unusable(self, "it names no file or no column, or two columns become the same signal")
        _check_blocks(self)
        if self.kind == "actuals":
            _check_actuals(self)
        else:
            _check_forecasts(self)

    @property
    def step(self) -> int:
        """Length of one interval [µs]."""
        return duration(self.resolution)

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns without which no row of a file can be read."""
        names = (
            self.time_column,
            self.zone_column,
            self.point_column,
            self.variable_column,
            self.value_column,
            self.available_column,
            self.init_column,
            self.null_when_zero,
        )
        return tuple(name for name in names if name)

    @property
    def read(self) -> tuple[str, ...]:
        """All columns that are read from a file."""
        held = () if self.layout == "long" else (self.sources(name) for name in self.columns)
        return tuple(dict.fromkeys((*self.needed, *chain.from_iterable(held))))

    def sources(self, name: str) -> tuple[str, ...]:
        """Return the columns of the file that column `name` of the mapping is made of."""
        return self.columns[name].magnitude or (name,)


@dataclass(frozen=True)
class Zones:
    """How the source calls zones; with `strict`, a zone that is not named here is refused."""

    strict: bool = False
    names: Mapping[str, str] = field(default_factory=dict)  # name in the source -> zone

    def __post_init__(self) -> None:
        for zone in self.names.values():
            checked("zone", zone)


@dataclass(frozen=True)
class SourceMapping:
    """Everything that has to be known about a source to store its rows."""

    name: str
    tables: tuple[Table, ...]
    zones: Zones = field(default_factory=Zones)

    def __post_init__(self) -> None:
        checked("key", self.name)
        agreed: dict[object, object] = {}
        for table, column in self.columns():
            together = column.to if table.kind == "actuals" else table.provider  # what is checked and stored as one
            limits = (table.resolution, table.gap_limit, table.null_limit, bool(table.available_column))
            for target, stated in (
                ((table.kind, together), limits),
                ((table.kind, together, column.to), column.meaning),
            ):
                if agreed.setdefault(target, stated) != stated:
                    raise Refused(
                        "E_CONFIG",
                        f"mapping {self.name}: {column.to} stands in two tables that do not agree",
                        fix="state unit, range, clip_from, resolution, limits and availability alike",
                    )

    def columns(self) -> Iterator[tuple[Table, Column]]:
        """Yield every column with its table."""
        for table in self.tables:
            for column in table.columns.values():
                yield table, column


def with_publication_delay(mapping: SourceMapping, delay: str) -> SourceMapping:
    """Return `mapping` with one publication delay for all actuals whose availability no column states."""
    duration(delay)
    return replace(mapping, tables=tuple(_delayed(table, delay) for table in mapping.tables))


def _delayed(table: Table, delay: str) -> Table:
    if table.kind != "actuals" or table.available_column:
        return table
    columns = {name: replace(column, publication_delay="") for name, column in table.columns.items()}
    return replace(table, publication_delay=delay, columns=columns)


def _exactly_one(table: Table, *names: str) -> None:
    given = [name for name in names if getattr(table, name)]
    if len(given) != 1:
        raise _unusable(table, f"give exactly one of {', '.join(names)}; found {', '.join(given) or 'none'}")
    if given[0] in ("publication_delay", "available_before_valid", "available_after_init", "init_before_valid"):
        duration(getattr(table, given[0]))


def _check_time_zone(table: Table) -> None:
    try:
        ZoneInfo(table.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _unusable(table, f"time_zone {table.time_zone!a} is not known") from error


def _check_actuals(table: Table) -> None:
    _exactly_one(table, "publication_delay", "available_column")
    if table.block or table.persistence:
        raise _unusable(table, "block and persistence are for weather")
    for column in table.columns.values():
        Series.parse(f"{_ANYWHERE}/{column.to}")


def _check_forecasts(table: Table) -> None:
    checked("provider", table.provider)
    if table.persistence:
        _exactly_one(table, "publication_delay", *_STATED)
        if not table.step <= duration(table.persistence) <= _LONGEST_PERSISTENCE or not table.publication_delay:
            raise _unusable(table, "observed weather needs a publication_delay and a persistence of up to P3D")
    else:
        _exactly_one(table, *_STATED[:3])
        _exactly_one(table, *_STATED[3:])
    for column in table.columns.values():
        if checked("column", column.to) in _RESERVED:
            raise _unusable(table, f"no variable can be called {column.to}")


def _check_blocks(table: Table) -> None:
    stated = [column for column in table.columns.values() if column.blocks]
    if len(stated) < (len(table.columns) if table.block else 0) or (stated and not table.block):
        raise _unusable(table, "a table has block and all its columns blocks, or none of them")
    if not table.block:
        return
    lengths = table.step, duration(table.block), duration(table.block_restart or table.block), DAY
    if not all(lengths) or any(longer % shorter for shorter, longer in pairwise(lengths)):
        raise _unusable(table, f"block {table.block} must fill block_restart and hold whole intervals")
    if not table.block_restart and any(column.blocks != "end" for column in stated):
        raise _unusable(table, "means and sums need block_restart")
    if any(column.blocks == "sum" and column.offset for column in stated):
        raise _unusable(table, "the parts of a sum cannot have an offset")


def _unusable(table: Table, fact: str) -> Refused:
    return Refused(
        "E_CONFIG", f"table of {table.kind} from {', '.join(table.files)[:80]}: {fact}", fix="mend the mapping"
    )
