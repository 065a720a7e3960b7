"""The full-text index of PostgreSQL: a `tsvector` for each message, and a GIN index of them.

Words are cut here and not by PostgreSQL, whose parser takes paths, addresses and numbers for words of their own: so a
search finds what it finds with SQLite. A word is a run of letters and digits, in lower case, without accents.

A `tsvector` has room for a megabyte, for 16,383 places and for 255 of each word. Words beyond are found all the same,
but not as neighbours: so a word of which some places are missing counts as one that may have any neighbours.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection

from ccod_sql.texts import TextIndex, Wording

WORD = re.compile(r"([^\W_]{1,500})[^\W_]*")
"""Its first 500 characters count: PostgreSQL takes 2,046 bytes."""
MOST_BYTES = 1_000_000
LAST_PLACE = 16_382
MOST_PLACES = 255
CUT = "+"
"""Is in no word, and stands before one of which some places are missing."""

INSERT = "INSERT INTO search (key, words) VALUES (%s, CAST(%s AS tsvector))"


class Tsvectors(TextIndex):
    """The table `search`."""

    wording = Wording(
        key="search.key",
        matches="search.words @@ CAST(:match AS tsquery)",
        rank="-ts_rank(search.words, CAST(:match AS tsquery), 1)",
        join="JOIN",
    )

    def add(self, connection: Connection, texts: Sequence[tuple[int, str]]) -> None:
        connection.exec_driver_sql(INSERT, [(key, vector(text)) for key, text in texts])

    def empty(self, connection: Connection) -> None:
        """Delete, for who reads waits for `TRUNCATE`, and it for them."""
        connection.exec_driver_sql("DELETE FROM search")

    def asked(self, terms: Sequence[str]) -> str:
        """See `TextIndex`. Terms without a word in them are passed over; nothing else is nothing."""
        return " & ".join(_phrase(phrase) for phrase in map(words, terms) if phrase)


def words(text: str) -> list[str]:
    """Return the words of a text."""
    text = text.lower()
    if not text.isascii():
        text = "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))
    return WORD.findall(text)


def vector(text: str) -> str:
    """Return a text's words with their places, as PostgreSQL reads a `tsvector`."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, word in enumerate(words(text), 1):
        places[word].append(place)
    written: list[str] = []
    size = 0
    for word, its in places.items():
        kept = its
        is_cut = its[-1] > LAST_PLACE or len(its) > MOST_PLACES
        if is_cut:
            kept = [place for place in its[:MOST_PLACES] if place <= LAST_PLACE] or [LAST_PLACE]
        size += (len(word.encode()) + 6) * (1 + is_cut) + 2 * len(kept)
        if size > MOST_BYTES:
            break
        written.append(f"'{word}':{','.join(map(str, kept))}")
        if is_cut:
            written.append(_quoted(CUT + word))
    return " ".join(written)


def _phrase(said: Sequence[str]) -> str:
    """Return what asks for words one after another."""
    quoted = [_quoted(word) for word in said]
    if len(quoted) == 1:
        return quoted[0]
    is_cut = " | ".join(_quoted(CUT + word) for word in dict.fromkeys(said))
    return f"({' <-> '.join(quoted)} | {' & '.join(quoted)} & ({is_cut}))"


def _quoted(word: str) -> str:
    return f"'{word}'"
