"""Two ways to decode a record: at once, or mended and field by field where it is not as it should be."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from ccod import decoder

S = TypeVar("S", bound=Struct)

SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
HIGH, LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
LONE = rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}(?:(?<=%b)(?!%b)|(?<=%b)(?<!%b))" % (HIGH, LOW, LOW, HIGH + LOW)
LONE_SURROGATES = re.compile(LONE + rb"(?:%b)*+" % LONE)
"""True where each backslash starts an escape."""


def salvage(record: bytes, kind: type[S]) -> tuple[S, str]:
    """Decode a JSON object whose bytes or fields are not as they should be, and say in a few words what was mended.

    Raises ValueError if it is none.
    """
    mended = damage(record)
    record = mend(record)
    try:
        return decoder(kind).decode(record), mended
    except (ValueError, RecursionError):
        return _by_field(record, kind), ", ".join(filter(None, (mended, "fields of a wrong type or size")))


def undecoded(data: Raw | UnsetType, kind: Any) -> Any:
    """Decode a value that was left as it stood; None when it is absent or of another kind."""
    if data is UNSET:
        return None
    try:
        return decoder(kind).decode(mend(bytes(data)))
    except (ValueError, RecursionError):
        return None


def mend(text: bytes) -> bytes:
    """Replace what no database and no other program accepts: lone surrogates, and bytes that are not UTF-8."""
    return pair_surrogates(text).decode("utf-8", "replace").encode()


def pair_surrogates(text: bytes) -> bytes:
    """Replace escaped surrogates without a partner; every other byte of the line stays where it is."""
    if not SURROGATE.search(text):
        return text
    text = text.replace(rb"\\", b"\n\n")  # hidden: a line has no newline but the one at its end
    return LONE_SURROGATES.sub(lambda run: rb"\ufffd" * (len(run[0]) // 6), text).replace(b"\n\n", rb"\\")


def damage(record: bytes) -> str:
    """Say in a few words what `mend` would replace."""
    paired = pair_surrogates(record)
    words = ["lone surrogates"] if paired != record else []
    if not _is_utf8(record):
        words.append("invalid UTF-8")
    return ", ".join(words)


def _is_utf8(text: bytes) -> bool:
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False


def _by_field(data: bytes | Raw, kind: type[S]) -> S:
    """Decode an object of which some fields have a wrong type: those count as absent."""
    found = msgspec.json.decode(data, type=dict[str, Raw])
    values: dict[str, Any] = {}
    for known in msgspec.structs.fields(kind):
        if known.encode_name in found:
            with suppress(ValueError, RecursionError):
                values[known.name] = _value(found[known.encode_name], known.type)
    return kind(**values)


def _value(data: Raw, kind: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError:
        for option in get_args(kind):
            if isinstance(option, type) and issubclass(option, Struct):
                return _by_field(data, option)
            if get_origin(option) is list:
                return _items(data, *get_args(option))
        raise


def _items(data: Raw, kind: type[S]) -> list[S]:
    items: list[S] = []
    for item in msgspec.json.decode(data, type=list[Raw]):
        with suppress(ValueError, RecursionError):
            items.append(_by_field(item, kind))
    return items
