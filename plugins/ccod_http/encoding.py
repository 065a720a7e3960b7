"""JSON out: never NaN, never a lone surrogate, whatever a transcript held."""

from __future__ import annotations

from typing import Any

import msgspec

_DEEPEST = 100

_encoder = msgspec.json.Encoder()


def encode(value: Any) -> bytes:
    """Return `value` as JSON. What JSON cannot say is replaced: NaN by null, half a character by U+FFFD."""
    try:
        return _encoder.encode(value)
    except (UnicodeEncodeError, RecursionError):
        return _encoder.encode(_mend(value, _DEEPEST))


def _mend(value: Any, deeper: int) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if not isinstance(value, dict | list | tuple | msgspec.Struct):
        return value
    if not deeper:
        return None
    if isinstance(value, msgspec.Struct):
        value = _members(value)
    if isinstance(value, dict):
        return {_mend(key, deeper): _mend(member, deeper - 1) for key, member in value.items()}
    return [_mend(item, deeper - 1) for item in value]


def _members(struct: msgspec.Struct) -> dict[str, Any]:
    omit = struct.__struct_config__.omit_defaults
    members = ((field, getattr(struct, field.name)) for field in msgspec.structs.fields(struct))
    return {field.encode_name: value for field, value in members if not (omit and value is field.default)}
