"""Decoders of JSON that may be asked for, for the first time too, in any thread."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any, TypeVar, overload

import msgspec

T = TypeVar("T")

_LOCK = threading.Lock()


@overload
def decoder(kind: type[T]) -> msgspec.json.Decoder[T]: ...
@overload
def decoder(kind: Any) -> msgspec.json.Decoder[Any]: ...
def decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """Return the decoder for a type, a Struct or what consists of some.

    `msgspec.json.decode(…, type=…)` finds out what a Struct is at its first use; where two threads do so at once, the
    interpreter crashes (msgspec 0.22). In code that threads run, such as a parser, use this instead.
    """
    return _made(kind)


@cache
def _made(kind: Any) -> msgspec.json.Decoder[Any]:
    with _LOCK:
        return msgspec.json.Decoder(kind)
