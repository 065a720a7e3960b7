"""Makes of what somebody wrote for a setting what its class declares, or says what is wrong with it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from ccod.errors import ConfigError
from ccod.settings import Field, expanded

QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([A-Za-z]*)")
_CREDENTIALS = re.compile(r"//[^/@\s]*@")
UNITS: dict[str, dict[str, float]] = {
    "seconds": {"": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400},
    "bytes": {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30},
}

MOST = {"seconds": 36525 * 86400, "bytes": 2**60}
"""Whatever a setting allows, what is longer than a century or larger than an exabyte is a slip."""


class Value(msgspec.Struct, frozen=True):
    """A value as somebody wrote it, and where. `text` came from where everything is text."""

    value: Any
    origin: str
    text: bool = False


def convert(field: Field, written: Value) -> Any:
    """Return the value that `written` means for `field`, or raise ConfigError."""
    value = written.value
    try:
        if written.text and (_holds(field.type, list) or _holds(field.type, dict)):
            value = _collection(value, field.type)
        if field.unit in UNITS and isinstance(value, str):
            value = _quantity(value, field.unit)
        if field.unit == "path":
            _require_paths(value)
        value = _chosen(value, field.type)
        result = msgspec.convert(value, field.type, strict=not written.text)
        if not _is_finite(value) or not _is_finite(result):
            raise ValueError("Expected a finite number")
        if field.unit in MOST and isinstance(result, int | float) and result > MOST[field.unit]:
            raise ValueError(f"Expected no more than {MOST[field.unit]} {field.unit}")
        return result
    except (msgspec.MsgspecError, ValueError, RecursionError, ConfigError) as error:
        shown = "" if field.secret else f" = {_shown(written.value)}"
        raise ConfigError(f"{written.origin}{shown}: {error}{_choices(field.type)}") from error


def _collection(text: str, kind: Any) -> Any:
    if text.lstrip().startswith(("[", "{")):
        return msgspec.json.decode(text)
    if _holds(kind, list):
        return [part.strip() for part in text.split(",")]
    raise ValueError('Expected a JSON object, such as {"name": "value"}')


def _holds(kind: Any, container: type) -> bool:
    return any(get_origin(part) is container for part in (kind, *get_args(kind)[:1]))


def _choices(kind: Any) -> str:
    """Name what is allowed, where that is a short list."""
    words = _words(kind)
    return f"; choose from: {', '.join(words)}" if words else ""


def _words(kind: Any) -> tuple[str, ...]:
    """Return the words of which one must be chosen: for a table, for each of its values."""
    literals = [part for part in (kind, *_within(kind)) if get_origin(part) is Literal]
    return tuple(map(str, get_args(literals[0]))) if literals else ()


def _within(kind: Any) -> Iterator[Any]:
    """Yield what an annotated type, or a table's values, are of."""
    for part in {Annotated: get_args(kind)[:1], dict: get_args(kind)[1:]}.get(get_origin(kind), ()):
        yield part
        yield from _within(part)


def _chosen(value: Any, kind: Any) -> Any:
    """Return one of the allowed words as its setting writes it: `LOG_LEVEL=ERROR` is common practice."""
    words = _words(kind)
    if isinstance(value, dict):
        return {key: _chosen(each, kind) for key, each in value.items()}
    return next((word for word in words if isinstance(value, str) and word == value.lower()), value)


def _quantity(text: str, unit: str) -> float:
    match = QUANTITY.fullmatch(text.strip())
    scale = UNITS[unit].get(match[2]) if match else None
    if match is None or scale is None:
        raise ValueError(f"expected a number of {unit}, or one followed by {', '.join(filter(None, UNITS[unit]))}")
    number = float(match[1]) * scale
    return int(number) if unit == "bytes" else number


def _require_paths(value: Any) -> None:
    for path in value if isinstance(value, list) else [value]:
        if isinstance(path, str):
            _require_place(expanded(path))


def _require_place(path: Path) -> None:
    try:
        path.absolute()
    except FileNotFoundError:
        raise ValueError("it is relative, and the current folder is gone; begin it with /") from None


def _is_finite(value: Any) -> bool:
    match value:
        case float():
            return math.isfinite(value)
        case list():
            return all(map(_is_finite, value))
        case dict():
            return all(map(_is_finite, value.values()))
    return True


def _shown(value: Any) -> str:
    text = _CREDENTIALS.sub("//…@", repr(value))
    return text if len(text) <= 200 else f"{text[:200]}…"
