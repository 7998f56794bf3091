"""Mapping files: TOML text to a checked mapping, and the mappings that ship with the package."""

import json
import tomllib
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from wattahead.domain.errors import Refused
from wattahead.sources.mapping import Column, SourceMapping, Table, Zones

SHIPPED: Final = "mappings"


def parse_mapping(text: str, *, where: str) -> SourceMapping:
    """Return the mapping that TOML `text` describes; `where` names it in errors. Unknown keys are refused."""
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused("E_CONFIG", f"{where} is not TOML: {error}", fix="mend that line") from error
    try:
        # By way of JSON, where pydantic's strict mode still takes an array for a tuple: no number is read from text.
        return _adapter().validate_json(json.dumps(plain, default=str), strict=True)
    except ValidationError as error:
        raise _refusal(error, where) from error


def find_mapping(name: str) -> SourceMapping:
    """Return a shipped mapping by its name, or the one in the file at path `name`."""
    shipped = resources.files("wattahead.sources").joinpath(SHIPPED)
    names = sorted(entry.name.removesuffix(".toml") for entry in shipped.iterdir() if entry.name.endswith(".toml"))
    if name in names:
        return parse_mapping(shipped.joinpath(f"{name}.toml").read_text(encoding="utf-8"), where=f"{name}.toml")
    try:
        return parse_mapping(Path(name).read_text(encoding="utf-8"), where=Path(name).name)
    except (OSError, ValueError) as error:
        near = ", ".join(get_close_matches(name, names, n=1) or names)
        raise Refused(
            "E_FEAT_MISSING",
            f"mapping {ascii(name)[:120]} cannot be read ({type(error).__name__})",
            fix=f"give a TOML file in UTF-8, or a shipped mapping such as {near}",
        ) from error


def _adapter() -> TypeAdapter[SourceMapping]:
    for kind in (Column, Table, Zones, SourceMapping):
        setattr(kind, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010 - unknown to a type checker
    return TypeAdapter(SourceMapping)


def _refusal(error: ValidationError, where: str) -> Refused:
    first: Any = error.errors()[0]
    at = ".".join(str(part) for part in first["loc"]) or "the mapping"
    return Refused("E_CONFIG", f"{where}: {at}: {first['msg']}", fix="mend that line")
