"""The index of what messages say, as each engine has its own. Its rows have keys, see `keys`, and hold no text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from msgspec import Struct
from sqlalchemy import Connection

OPTION = "texts"


class Wording(Struct, frozen=True):
    """What a search says of the table `search`, in SQL: the key of a row, that it matches `:match`, and its rank.

    The least rank is the best. `join` joins what is to be looked up for each match, and must not come before it.
    """

    key: str
    matches: str
    rank: str
    join: str


class TextIndex(Protocol):
    wording: Wording

    def add(self, connection: Connection, texts: Sequence[tuple[int, str]]) -> None:
        """Add texts under keys that are not there yet."""

    def empty(self, connection: Connection) -> None:
        """Remove all."""

    def asked(self, terms: Sequence[str]) -> str:
        """Return what `:match` is for texts that have all of `terms`, each of one word or several in a row."""


def index_of(connection: Connection) -> TextIndex:
    """Return the index of the database that is connected to: its engine was made with `OPTION`."""
    return cast(TextIndex, connection.get_execution_options()[OPTION])
