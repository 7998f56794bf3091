"""Names that may become part of an object key. One rule each, matched whole."""

import re
from typing import Final

from wattahead.domain.errors import Refused

# ASCII classes are spelled out: \w and \d also match look-alikes from other scripts.
RULES: Final = {
    "zone": re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8}){0,4}"),
    "key": re.compile(r"[a-z][a-z0-9_]{0,39}"),
    "subkey": re.compile(r"[a-z][a-z0-9_]{0,39}"),
    "pool": re.compile(r"[a-z][a-z0-9_]{0,39}"),
    "provider": re.compile(r"[a-z][a-z0-9_]{0,39}"),
    "network": re.compile(r"[a-z][a-z0-9_]{0,39}"),
    "grid": re.compile(r"[a-z][a-z0-9_]{0,39}"),
    "column": re.compile(r"[a-z][a-z0-9_]{0,59}"),
    "batch": re.compile(r"[a-z][a-z0-9_]{0,39}-[0-9]{4}"),
    "run": re.compile(r"[a-z0-9][a-z0-9-]{0,63}"),
    "digest": re.compile(r"[0-9a-f]{12,64}"),
    "file": re.compile(r"[a-z0-9][a-z0-9_]{0,39}\.(json|txt|parquet)"),
}


_QUANTILE: Final = re.compile(r"p(?!00)[0-9]{2}", re.ASCII)


def check_quantiles(names: tuple[str, ...]) -> None:
    """Refuse quantiles with `E_CONFIG` unless they are `p01` to `p99`, ascending, p50 among them."""
    named = all(_QUANTILE.fullmatch(name) for name in names)
    if "p50" not in names or not named or sorted(set(names)) != list(names):
        raise Refused(
            "E_CONFIG",
            f"quantiles {list(names)} lack p50 or are not ascending",
            fix='write them as ["p10", "p50", "p90"]',
        )


def checked(kind: str, name: object) -> str:
    """Return `name` when it matches the rule of `kind`; raise `E_NAME` otherwise."""
    rule = RULES[kind]
    if isinstance(name, str) and rule.fullmatch(name):
        return name
    shown = ascii(name)[:80]  # ascii() shows look-alikes and control characters for what they are
    raise Refused("E_NAME", f"{kind} {shown} must match ^{rule.pattern}$", fix=f"rename the {kind}")
