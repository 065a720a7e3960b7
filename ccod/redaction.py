"""Masks secrets wherever stored text leaves the house. The archive keeps the original."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import log2
from time import thread_time
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ccod.limits import LIMITS
from ccod.model import Block, Content

TOKEN_BYTES = 16
"""Shortest run of letters, digits, `_` and `-` that is looked at as a token."""

_TOKEN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
_CLASSES = bytes(ord("a") if byte in _TOKEN else ord(" ") for byte in range(256))
_RUN = b"a" * TOKEN_BYTES
_DEEPEST = 100
_WITHHELD = "«withheld:"
_LONG = 1_000_000
"""A text of so many characters may take twice as long as a short one."""


class SecretRule(Struct, frozen=True):
    """What a kind of secret looks like. The group `secret` of `pattern`, or all of it, is masked.

    Most text holds no secret, so a pattern is tried only where one can be. With `starts`: on text with a token of 16 or
    more letters, digits, `_` and `-` that begins with one of them (or stands right behind it, where the start ends in
    another character, such as `SG.`). With `words`, lower-case: where one of them stands, and there it must match.
    A secret with less than `entropy` bits in a character is taken for a placeholder. Patterns must run in linear
    time: bound every repetition that can be followed by what it repeats, or make it possessive (`++`).
    """

    kind: str
    pattern: str
    starts: Sequence[str] = ()
    words: Sequence[str] = ()
    entropy: float = 0.0


class Redactor:
    """Puts `«redacted:kind»` in the place of each secret that one of its rules knows, in the order of the rules.

    Rules of others are `watched`: one that computes for too long is given up, and what stands under its number is told
    for how many seconds. What it would be tried on is withheld from then on, whole: `«withheld:kind»`.
    """

    def __init__(
        self, rules: Iterable[SecretRule] = (), watched: Mapping[int, Callable[[float], object]] | None = None
    ) -> None:
        self._rules = [(rule, re.compile(rule.pattern)) for rule in rules]
        self._watched = watched or {}
        self._given_up: set[int] = set()
        starts = {start.encode() for rule, _ in self._rules for start in rule.starts}
        self._before = tuple(start for start in starts if start[-1] not in _TOKEN)
        begins = sorted(starts.difference(self._before), key=len, reverse=True)
        # In JSON within JSON a token can stand right behind the letter of an escaped line end.
        self._begin = re.compile(b"[nrt]?(?:" + b"|".join(map(re.escape, begins)) + b")")
        # Two bytes tell of most tokens that they begin with nothing of these.
        self._pairs = {
            *(start[:2] for start in begins),
            *(bytes((start[0], byte)) for start in begins if len(start) == 1 for byte in _TOKEN),
            *(bytes((byte, start[0])) for start in begins for byte in b"nrt"),
        }
        self._ends = {start[-2:] for start in self._before}
        self._words = {word for rule, _ in self._rules for word in rule.words}

    def mask(self, text: str) -> str:
        """Return `text` with its secrets masked. What is masked already stays as it is."""
        if not self._rules:
            return text
        starts = self._starts(text.encode(errors="replace"))
        places = self._places(text)
        if not starts and not places:
            return text
        for number, (rule, pattern) in enumerate(self._rules):
            begins = not starts.isdisjoint(rule.starts)
            if not begins and places.keys().isdisjoint(rule.words):
                continue
            if number in self._given_up:
                return f"{_WITHHELD}{rule.kind}»"
            before, began = text, thread_time()
            if begins:
                text = pattern.sub(lambda found, rule=rule: _masked(rule, found), text)  # type: ignore[misc]
            else:
                text = _masked_at(rule, pattern, text, sorted(at for word in rule.words for at in places.get(word, ())))
            if number in self._watched:
                self._watch(number, thread_time() - began, before)
            if text is not before and text != before:
                places = self._places(text)
        return text

    def _watch(self, number: int, seconds: float, text: str) -> None:
        if seconds > LIMITS.mask * (1 + len(text) / _LONG) and number not in self._given_up:
            self._given_up.add(number)
            self._watched[number](seconds)

    def mask_all(self, value: Any) -> Any:
        """Return what JSON can say with every text in it masked; the key of a member tells what its text is."""
        return self._mask_all(value, _DEEPEST) if self._rules else value

    def mask_content(self, content: Content) -> Content:
        """Return what a message says with the secrets in it masked."""
        if not self._rules:
            return content
        blocks = [self._mask_block(block) for block in content.blocks]
        said = [block.text for block in content.blocks if block.text]
        text = blocks[0].text if said == [content.text] and len(blocks) == 1 else None
        return Content(self.mask(content.text) if text is None else text, blocks)

    def _mask_block(self, block: Block) -> Block:
        text = None if block.text is None else self.mask(block.text)
        given = self.mask_all(block.input)
        return block if (text, given) == (block.text, block.input) else replace(block, text=text, input=given)

    def _mask_all(self, value: Any, deeper: int) -> Any:
        if isinstance(value, str):
            return self.mask(value)
        if not isinstance(value, dict | list):
            return value
        if not deeper:
            return None
        if isinstance(value, list):
            return [self._mask_all(item, deeper - 1) for item in value]
        return {self.mask(key): self._member(key, item, deeper - 1) for key, item in value.items()}

    def _member(self, key: Any, value: Any, deeper: int) -> Any:
        if not isinstance(value, str) or not isinstance(key, str):
            return self._mask_all(value, deeper)
        lead = f"{key}: "
        masked = self.mask(lead + value)
        if masked.startswith(lead):
            return masked[len(lead) :]
        return masked if masked.startswith(_WITHHELD) else self.mask(value)

    def _starts(self, data: bytes) -> set[str]:
        """Return the starts of rules that begin a token in `data`."""
        starts: set[bytes] = set()
        classes = data.translate(_CLASSES)
        at = classes.find(_RUN)
        while at >= 0:
            if data[at : at + 2] in self._pairs and (found := self._begin.match(data, at)):
                starts |= {found[0], found[0][1:]}
            if at > 1 and data[at - 2 : at] in self._ends:
                starts |= {start for start in self._before if data.endswith(start, 0, at)}
            end = classes.find(b" ", at + TOKEN_BYTES)
            at = classes.find(_RUN, end) if end >= 0 else -1
        return {start.decode() for start in starts}

    def _places(self, text: str) -> dict[str, list[int]]:
        """Return where the words of rules stand in `text`."""
        low = text.lower()
        if len(low) != len(text):
            low = "".join(character.lower() if character.isascii() else character for character in text)
        return {word: _occurrences(low, word) for word in self._words if word in low}


def _occurrences(text: str, word: str) -> list[int]:
    found, at = [], text.find(word)
    while at >= 0:
        found.append(at)
        at = text.find(word, at + len(word))
    return found


def _masked_at(rule: SecretRule, pattern: re.Pattern[str], text: str, places: Sequence[int]) -> str:
    """Return `text` with what matches at `places` masked."""
    parts: list[str] = []
    end = 0
    for place in places:
        if place >= end and (found := pattern.match(text, place)):
            parts += text[end:place], _masked(rule, found)
            end = found.end()
    return "".join((*parts, text[end:]))


def _masked(rule: SecretRule, found: re.Match[str]) -> str:
    group = "secret" if "secret" in found.re.groupindex else 0
    secret = found[group]
    if rule.entropy and (entropy(secret) < rule.entropy or "«redacted:" in secret):
        return found[0]
    start, end = found.start(group) - found.start(), found.end(group) - found.start()
    return f"{found[0][:start]}«redacted:{rule.kind}»{found[0][end:]}"


def entropy(text: str) -> float:
    """Return the bits that a character of `text` bears."""
    return -sum(count / len(text) * log2(count / len(text)) for count in Counter(text).values())
