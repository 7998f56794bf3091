"""The tables of infra/COST.md, as rows of words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from infra.cost import limits, model, steps
from infra.cost.prices import PRICES
from infra.cost.steps import Shape

SIZES: Final = (10, 1_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Table:
    """A title, column names and rows; the first column is left-aligned."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """Return it as a table of a page."""
        rule = "|---|" + "---:|" * (len(self.columns) - 1)
        lines = [f"| {' | '.join(row)} |" for row in (self.columns, *self.rows)]
        return "\n".join([lines[0], rule, *lines[1:]])


def tables() -> list[Table]:
    """Return all tables in the order of the page."""
    return [monthly(), bounds(), one_signal(), prices()]


def monthly() -> Table:
    """Return USD a month by service."""
    rows: list[tuple[str, Callable[[model.Month], float]]] = [
        ("Lambda", lambda month: month.lambda_),
        ("Step Functions", lambda month: month.step_functions),
        ("S3 requests", lambda month: month.s3_requests),
        ("S3 storage, at the end of the first month", lambda month: month.s3_first_month),
        ("S3 storage, a month after a year", lambda month: month.s3_first_year),
        ("CloudWatch and X-Ray", lambda month: month.cloudwatch),
        ("Fargate, training every night", lambda month: month.fargate),
        ("total after a year", lambda month: month.total),
    ]
    shapes = [Shape(series) for series in SIZES]
    months = [model.month(shape) for shape in shapes]
    body = [[name, *(money(pick(month)) for month in months)] for name, pick in rows]
    each = [money(month.total / shape.series * 1000) for month, shape in zip(months, shapes, strict=True)]
    counts = [["pools, batches an hour", *(f"{shape.pools:,}" for shape in shapes)]]
    return Table("USD a month", ["hourly series", *_sizes()], [*counts, *body, ["total, 1,000 series", *each]])


def bounds() -> Table:
    """Return what is used of every bound, and from how many series on it is broken."""
    found = [limits.limits(Shape(series)) for series in SIZES]
    rows = []
    for same in zip(*found, strict=True):
        bound = f"{same[0].name} ({same[0].most:,.0f} {same[0].unit})".replace(" )", ")")
        breaks = limits.binds_at(same[0].name)
        rows.append([bound, *(_used(limit) for limit in same), f"{breaks:,}" if breaks else "never"])
    return Table("Bounds", ["figure (at most)", *_sizes(), "breaks at"], rows)


def one_signal() -> Table:
    """Return what a features call comes to when all series are of one signal and one pool."""
    rows = []
    for series in (1_000, 5_000, 10_000, 100_000):
        one, many = (Shape(series, per_pool=size) for size in (series, steps.BATCH))
        calls = [steps.features(shape).seconds(shape) for shape in (one, many)]
        costs = [money(model.lambda_usd(shape)) for shape in (one, many)]
        held = [f"{each(one):,.0f} MB" for each in (steps.features_mb, steps.ingest_mb)]
        rows.append([f"{series:,}", f"{calls[0]:,.1f} s", *held, costs[0], f"{calls[1]:,.1f} s", costs[1]])
    together, apart = "all of one signal: features call", "signals of 1,000: features call"
    columns = ["series", together, "its memory", "memory of ingest", "Lambda, USD", apart, "Lambda, USD"]
    return Table("One signal", columns, rows)


def prices() -> Table:
    """Return the prices."""
    rows = [
        [price.name, f"{price.usd:.10f}".rstrip("0").rstrip("."), price.unit, price.source, price.read]
        for price in PRICES.values()
    ]
    return Table("Prices", ["price", "USD", "for", "read at", "read"], rows)


def money(amount: float) -> str:
    """Return USD with as many digits as matter."""
    return f"{amount:,.2f}" if amount < 100 else f"{amount:,.0f}"  # noqa: PLR2004 - cents matter below that


def _sizes() -> list[str]:
    return [f"{series:,}" for series in SIZES]


def _used(limit: limits.Limit) -> str:
    value = f"{limit.value:,.1f}" if limit.value < 10 else f"{limit.value:,.0f}"  # noqa: PLR2004 - a digit more below
    return f"**{value}**" if limit.share > 1 else value
