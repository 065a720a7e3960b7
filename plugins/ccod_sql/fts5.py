"""The full-text index of SQLite."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from ccod_sql.texts import TextIndex, Wording

INSERT = "INSERT INTO search(rowid, text) VALUES (?, ?)"
EMPTY = "INSERT INTO search(search) VALUES ('delete-all')"


class Fts5(TextIndex):
    """The table `search` of the module fts5, which holds no text."""

    # The index comes first and in its order, so that a page ends with its last hit.
    wording = Wording(key="search.rowid", matches="search MATCH :match", rank="bm25(search)", join="CROSS JOIN")

    def add(self, connection: Connection, texts: Sequence[tuple[int, str]]) -> None:
        """See `TextIndex`. What is in the index's order is taken at once, and all else row by row."""
        connection.exec_driver_sql(INSERT, sorted((key, _sound(words)) for key, words in texts))

    def empty(self, connection: Connection) -> None:
        connection.exec_driver_sql(EMPTY)

    def asked(self, terms: Sequence[str]) -> str:
        return " ".join(map(_quoted, terms))


def _sound(words: str) -> str:
    """Return text that SQLite takes: halves of characters are replaced."""
    return words.encode(errors="replace").decode()


def _quoted(term: str) -> str:
    """Return a term as FTS5 takes it for nothing but text."""
    return '"' + _sound(term).replace("\0", " ").replace('"', '""') + '"'
