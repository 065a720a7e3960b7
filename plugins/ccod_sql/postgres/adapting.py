"""Carries values to PostgreSQL and back as they were, and numbers as Python's own.

PostgreSQL takes every character in a text but U+0000, which transcripts may hold. It is written as U+0001 U+0001, and
U+0001 as U+0001 U+0002: nothing is lost, no two texts become one, and their order stays the same.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader

UNKNOWN = 705
"""The type of a text that stands in a statement."""
TEXTS = ("text", "varchar", "bpchar", "name", UNKNOWN)


def escaped(text: str) -> str:
    """Return a text that PostgreSQL takes."""
    if "\0" in text or "\1" in text:
        return text.replace("\1", "\1\2").replace("\0", "\1\1")
    return text


def unescaped(text: str) -> str:
    """Return what was escaped."""
    if "\1" in text:
        return text.replace("\1\1", "\0").replace("\1\2", "\1")
    return text


class TextDumper(Dumper):
    """Without a type of its own, as the driver does it: the server knows what is wanted."""

    def dump(self, obj: str) -> Buffer:
        return escaped(obj).encode()


class TextLoader(Loader):
    def load(self, data: Buffer) -> str:
        return unescaped(str(data, "utf-8"))


class NumericLoader(Loader):
    """Sums of integers come as `numeric`, and are integers; averages are none."""

    def load(self, data: Buffer) -> int | float:
        text = str(data, "ascii")
        return float(text) if "." in text or text == "NaN" else int(text)


def adapt(connection: Connection[Any]) -> None:
    connection.adapters.register_dumper(str, TextDumper)
    connection.adapters.register_loader("numeric", NumericLoader)
    for kind in TEXTS:
        connection.adapters.register_loader(kind, TextLoader)
