"""Forecasts in coarse steps, undone: a value that stands for a block of intervals becomes one value for each.

Weather models such as GFS publish every third hour, and some exports repeat that value for every hour up to it. Let v
be the value of the block at position 0, 1, … since the restart (`block = "PT3H"` and `block_restart = "PT6H"` make
positions 0 and 1), and u the value of the block before it. The column says what they are:

- `mean`: the mean since the restart. The block's own mean is (position + 1) v - position u, in each of its intervals.
- `sum`: the sum since the restart. The block's own sum is v - u; each interval gets its equal part of it.
- `end`: the value at the block's end. Each interval gets the value at its middle on the straight line from u to v.

A block that lacks the one it builds on becomes null, never a guess: for `mean` and `sum` u must be of the same run, for
`end` of the newest run that is not newer. Nothing is known before all that it was made from. Blocks are undone file by
file. A block that ends where its run begins only gives its end: it is the u of the first block.
"""

from typing import Final

import polars as pl

from wattahead.domain.errors import Refused
from wattahead.domain.hours import duration, iso
from wattahead.sources.findings import Findings
from wattahead.sources.mapping import Column, Table

_PLACE: Final = ("zone", "point")
_BEFORE: Final = "_before"


def undone(rows: pl.DataFrame, source: Table, held: tuple[Column, ...], findings: Findings) -> pl.DataFrame:
    """Return forecast rows on the table's resolution from rows in which each block repeats one value.

    `rows` has the columns of a forecast, times in µs; one row is enough for its block. Blocks of one run that hold
    different values refuse their series. Rows that are not on the resolution are left as they are: the contract
    refuses them.
    """
    off_grid = pl.col("valid_time") % source.step != 0
    blocks = _blocks(rows.filter(~off_grid), source, held, findings)
    parts = pl.DataFrame({"part": range(duration(source.block) // source.step)})
    first = pl.col("nwp_init_time") + (duration(source.init_before_valid) if source.init_before_valid else 0)
    spread = _joined(blocks, source).filter(pl.col("start") >= first).join(parts, how="cross")
    made = spread.select(
        *_PLACE,
        "nwp_init_time",
        pl.max_horizontal("available_at", "available_at" + _BEFORE).alias("available_at"),
        pl.col("start").add(pl.col("part") * source.step).alias("valid_time"),
        *(_value(source, column) for column in held),
    )
    known = made.filter(pl.any_horizontal(pl.col(column.to).is_not_null() for column in held))
    return pl.concat([known, rows.filter(off_grid)], how="diagonal").select(rows.columns)


def _blocks(rows: pl.DataFrame, source: Table, held: tuple[Column, ...], findings: Findings) -> pl.DataFrame:
    """Return one row per run and block, from `start` on."""
    start = pl.col("valid_time") - pl.col("valid_time") % duration(source.block)
    blocks = rows.group_by(*_PLACE, "nwp_init_time", start.alias("start")).agg(
        pl.col("available_at").max(),
        *(pl.col(column.to).drop_nulls().first() for column in held),
        *(pl.col(column.to).drop_nulls().n_unique().alias(f"{column.to} values") for column in held),
    )
    for column in held:
        split = blocks.filter(pl.col(f"{column.to} values") > 1).group_by("zone").agg(pl.col("start").min(), pl.len())
        for zone, at, count in split.sort("zone").iter_rows():
            findings.refuse(f"{zone}/{source.provider}/{column.to}", _split(source, column, zone, at, count))
        torn = pl.col("zone").is_in(split["zone"].to_list())
        blocks = blocks.with_columns(pl.when(~torn).then(pl.col(column.to)).alias(column.to))
    return blocks.drop(f"{column.to} values" for column in held)


def _split(source: Table, column: Column, zone: str, at: int, count: int) -> Refused:
    return Refused(
        "E_TIME_CONFLICT",
        f"{zone}/{source.provider}/{column.to}: {count} blocks of {source.block} hold different values, "
        f"the first from {iso(at)}",
        fix="check hour_label and block in the mapping, or leave block out",
    )


def _joined(blocks: pl.DataFrame, source: Table) -> pl.DataFrame:
    """Set beside each block the one that ends where it starts, of the newest run that is not newer."""
    ended = blocks.with_columns(
        pl.col("start") + duration(source.block), pl.col("nwp_init_time").alias("nwp_init_time" + _BEFORE)
    )
    return blocks.sort("nwp_init_time").join_asof(
        ended.sort("nwp_init_time"),
        on="nwp_init_time",
        by=[*_PLACE, "start"],
        suffix=_BEFORE,
        check_sortedness=False,  # both were just sorted
    )


def _value(source: Table, column: Column) -> pl.Expr:
    block, now, before = duration(source.block), pl.col(column.to), pl.col(column.to + _BEFORE)
    parts = block // source.step
    if column.blocks == "end":
        return (before + (now - before) * (2 * pl.col("part") + 1) / (2 * parts)).alias(column.to)
    position = pl.col("start") % duration(source.block_restart) // block
    same_run = pl.col("nwp_init_time") == pl.col("nwp_init_time" + _BEFORE)
    later = (position + 1) * now - position * before if column.blocks == "mean" else now - before
    own = pl.when(position == 0).then(now).when(same_run).then(later)
    floor = column.range[0] if column.clip_from is None else column.clip_from
    # Rounding makes small negatives, which the contract clips; a block far below its partner says nothing.
    sound = pl.when((position == 0) | (own >= floor)).then(own)
    return (sound if column.blocks == "mean" else sound / parts).alias(column.to)
