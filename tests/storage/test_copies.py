"""Which copies there are and which are read, by keys alone: no row is stored here."""

from collections.abc import Iterator

import pytest

from wattahead.domain.errors import Refused
from wattahead.storage import compaction
from wattahead.storage.compaction import LENGTHS, spans
from wattahead.storage.copies import PART, Copy, Days, day_of


def test_spans_lie_inside_each_other_and_cover_every_month_whole() -> None:
    found = list(spans(day_of("2026-01-30"), day_of("2026-03-02"), LENGTHS))
    months = [(day_of(f"{month}-01"), day_of(f"{month}-{last}")) for month, last in
              (("2026-01", 31), ("2026-02", 28), ("2026-03", 31))]  # fmt: skip

    assert [span for span in found if span[1] - span[0] > 15] == months
    for first, last in found:
        outer = [pair for pair in found if pair[0] <= last and first <= pair[1]]
        assert all((first <= a and b <= last) or (a <= first and last <= b) for a, b in outer)


def test_the_column_of_parts_is_no_name_a_variable_may_have() -> None:
    from wattahead.domain.names import checked

    with pytest.raises(Refused, match="E_NAME"):
        checked("column", PART)


def needed(there: Days) -> int:
    """How many objects a reader of `there` asks for, when nothing comes late to days that were over long ago."""
    behind = {day for copy in there.chosen for day in range(copy.first, copy.last + 1)}
    inside = [copy for copy in there.chosen if there.first <= copy.first]
    late = sum(len(there.parts.get(day, ())) for copy in inside for day in range(copy.first, copy.last + 1))
    alone = sum(len(parts) for day, parts in there.parts.items() if day not in behind)
    return len(there.chosen) + alone + late - sum(copy.parts for copy in inside)


def counted(days: int) -> Iterator[int]:
    """Yield how many objects 60 days take at five past every hour of `days` days, by keys alone: no row is stored."""
    first = day_of("2025-12-01")
    parts: dict[int, list[str]] = {}
    copies: dict[tuple[int, int], Copy] = {}
    for hour in range(1, days * 24):
        day, behind = first + hour // 24, first + (hour - 1) // 24  # an hour's value comes in the next hour
        parts.setdefault(behind, []).append("")
        seen = {at: parts[at] for at in range(day - 60, day + 1) if at in parts}
        yield needed(Days(day - 60, day, seen, copies))
        copies = {span: copy for span, copy in copies.items() if copy.last > day - 110}
        wanted = list(spans(day - 70, day, LENGTHS)) if hour % 24 < 3 else [(behind, behind)]
        for span in wanted:
            asked = Days(first - 99, day, parts, copies).within(*span)
            if compaction.due(asked, day):
                copies[span] = Copy("", *span, sum(map(len, asked.parts.values())), 1)


def test_sixty_days_of_live_hours_are_at_most_ten_objects_at_any_hour_of_a_year() -> None:
    found = list(counted(460))[70 * 24 :]

    assert max(found) == 10
    assert sum(found) / len(found) < 8.5
