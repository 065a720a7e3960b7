"""Uuids as 16 bytes: written out, those of entries and of what entries follow were a tenth of a database."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import Dialect, LargeBinary, TypeDecorator

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OTHER = b"not a uuid, but: "
"""Before what is none, which thus is longer than 16 bytes."""


@lru_cache(maxsize=4096)
def pack(text: str) -> bytes:
    """Return what to store. Only what `unpack` writes the same way again is taken for a uuid.

    One is asked for several times in a batch: it is looked up, stored, and named by the entry that follows it.
    """
    return bytes.fromhex(text.replace("-", "")) if UUID.fullmatch(text) else OTHER + text.encode()


def unpack(packed: bytes) -> str:
    """Return what was packed."""
    if len(packed) != 16:
        return packed[len(OTHER) :].decode()
    digits = packed.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


if TYPE_CHECKING:
    Decorator = TypeDecorator[str]
else:
    Decorator = TypeDecorator


class Uuid(Decorator):
    """The type of a column that holds uuids, or whatever else stands in their place."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        return None if value is None else pack(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else unpack(value)
