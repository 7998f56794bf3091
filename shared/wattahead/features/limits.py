"""How far features may reach: a name that asks for more than the view holds is refused, not answered with less."""

from collections.abc import Callable

from wattahead.domain.errors import Refused


def reach(least: int, most: int, unit: str) -> Callable[..., int]:
    """Return a check of the number in a feature's name; such a feature needs no days of history of its own."""

    def days_of_history(*given: int | str) -> int:
        number = int(given[-1])
        if not least <= number <= most:
            raise Refused("E_CONFIG", f"a feature asks for {number} {unit}", fix=f"use {least} to {most}")
        return 0

    return days_of_history
