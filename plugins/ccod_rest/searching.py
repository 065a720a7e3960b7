"""What a person types into a search: words, "phrases" and filters such as `tool:Bash`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

MOST_TERMS = 32
MOST_CHARACTERS = 256
FILTERS = ("project", "tool", "role", "model", "error", "since", "until")

# A filter or nothing, then a phrase in quotes (the last one may lack its end) or a word.
_PART = re.compile(rf'(?:(?P<name>{"|".join(FILTERS)}):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>\S+))')


class SearchError(ValueError):
    """What was typed cannot be searched for; says why."""


class Typed(Struct, frozen=True):
    """What was typed, taken apart. The filters are as they were written."""

    terms: list[str]
    filters: Mapping[str, str]


def take_apart(text: str) -> Typed:
    """Return the terms and the filters of a search. No character has a meaning but the double quote."""
    if len(text) > MOST_CHARACTERS:
        raise SearchError(f"is longer than {MOST_CHARACTERS} characters")
    terms: list[str] = []
    filters: dict[str, str] = {}
    for part in _PART.finditer(text):
        value = part["phrase"] if part["phrase"] is not None else part["word"]
        if part["name"]:
            filters[part["name"]] = value
        elif any(character.isalnum() for character in value):
            terms.append(value)
    if not terms:
        raise SearchError("holds no word to search for")
    if len(terms) > MOST_TERMS:
        raise SearchError(f"holds more than {MOST_TERMS} words")
    return Typed(terms, filters)
