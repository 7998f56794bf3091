"""JSON documents: frozen dataclasses of the domain to canonical bytes and back, strictly."""

import json
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from wattahead.domain.errors import Refused

T = TypeVar("T")


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - any dataclass of the domain
    if kind not in _ADAPTERS:
        kind.__pydantic_config__ = ConfigDict(extra="forbid")  # a plain attribute keeps the domain free of pydantic
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def encode(document: object) -> bytes:
    """Return canonical JSON: sorted keys, no spaces, so equal documents are equal bytes."""
    plain = _adapter(type(document)).dump_python(document, mode="json")
    return canonical(plain)


def canonical(plain: object) -> bytes:
    """Return canonical JSON of plain values."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def decode(kind: type[T], body: bytes, *, where: str) -> T:
    """Return the document in `body`; `where` names it in the error."""
    try:
        held: T = _adapter(kind).validate_json(body)
    except ValidationError as error:
        raise _refusal(error, where) from error
    return held


def build(kind: type[T], plain: dict[str, Any], *, where: str) -> T:
    """Return the document that plain values, such as parsed TOML, describe."""
    try:
        held: T = _adapter(kind).validate_python(plain)
    except ValidationError as error:
        raise _refusal(error, where) from error
    return held


def _refusal(error: ValidationError, where: str) -> Refused:
    first = error.errors()[0]
    at = ".".join(str(part) for part in first["loc"]) or "the document"
    return Refused("E_CONFIG", f"{where}: {at}: {first['msg']}", fix="mend that line")
