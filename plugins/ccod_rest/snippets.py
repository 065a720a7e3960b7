"""Cuts out of a text the part that shows why it was found."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from msgspec import Struct

LONGEST = 240
LEAD = 60
"""Characters before the first match."""
MOST_MATCHES = 32
FOLDED = 200_000
"""Characters in which a match is looked for by letters without accents, which takes long."""


class Match(Struct, frozen=True):
    """Where a term stands in a snippet, in code points."""

    start: int
    length: int


class Snippet(Struct, frozen=True):
    text: str
    matches: Sequence[Match]


def snippet(text: str, terms: Sequence[str]) -> Snippet:
    """Return at most 240 characters of `text` around its first match, and every match in them."""
    pattern = _pattern(terms)
    first = pattern.search(text.lower()) or pattern.search(_folded(text[:FOLDED]))
    start = max(0, first.start() - LEAD) if first else 0
    if start:  # begin with a whole word, where one begins soon
        space = re.search(r"\s", text[start : start + LEAD // 2])
        start += space.end() if space else 0
    shown = "".join(character if character.isprintable() else " " for character in text[start : start + LONGEST])
    matches = [Match(found.start(), len(found[0])) for found in pattern.finditer(_folded(shown))]
    return Snippet(shown, matches[:MOST_MATCHES])


def _pattern(terms: Sequence[str]) -> re.Pattern[str]:
    """Match a term as the index does: its words one after another, whatever stands between them, whole words only."""
    phrases = [r"[\W_]+".join(map(re.escape, _words(term))) for term in terms]
    return re.compile(r"(?<![^\W_])(?:" + ("|".join(filter(None, phrases)) or "(?!)") + r")(?![^\W_])")


def _words(term: str) -> list[str]:
    return re.findall(r"[^\W_]+", _folded(term))


def _folded(text: str) -> str:
    """Return `text` in lower case and without accents, each character in its place."""
    if text.isascii():
        return text.lower()
    return "".join(map(_folded_character, text))


def _folded_character(character: str) -> str:
    return character.lower()[:1] if character.isascii() else unicodedata.normalize("NFD", character)[0].lower()[:1]
