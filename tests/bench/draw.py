"""Everything random in a corpus, drawn from one seed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random

SYLLABLES = (
    "ba be bi bo ca ce co da de di do fa fe fi ga go ha he in is ka ke la le li lo ma me mi mo na ne no or pa pe "
    "po ra re ri ro sa se si so ta te ti to un va ve vi wa we za"
)
COMMON = (
    "the to of a and in is for file test function return error path with self def import class not if build run "
    "config session token parser watch server database index query message async await"
)
VOCABULARY = 8000


class Draw:
    """A seeded source of numbers, ids and text. `pool` is how many characters of text it has to cut from."""

    def __init__(self, seed: int, pool: int) -> None:
        self.random = Random(seed)
        self.words = COMMON.split() + _invented(self.random)
        zipf = [1 / (rank + 2.7) for rank in range(len(self.words))]
        words = self.random.choices(self.words, zipf, k=pool // 3)
        self._prose = " ".join(map(_sentence_part, range(len(words)), words))
        self._code = "\n".join(_code_line(n, words[n : n + 6]) for n in range(0, len(words) - 5, 6))

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, weights: Mapping[str, int]) -> str:
        return self.random.choices(tuple(weights), tuple(weights.values()))[0]

    def length(self, median: float, spread: float, most: float) -> int:
        """Draw from a log-normal distribution, cut off at `most`."""
        return int(min(most, median * math.exp(self.random.gauss(0, spread))))

    def prose(self, length: int) -> str:
        return self._cut(self._prose, length)

    def code(self, length: int) -> str:
        return self._cut(self._code, length)

    def hex(self, digits: int) -> str:
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def uuid(self) -> str:
        digits = self.hex(32)
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def token(self, prefix: str) -> str:
        """Draw an id as the API gives them, such as `msg_01…`."""
        return f"{prefix}_01{self.hex(22)}"

    def _cut(self, pool: str, length: int) -> str:
        length = min(length, len(pool) // 2)
        start = int(self.random.random() * (len(pool) - length))
        return pool[start : start + length]


def _invented(random: Random) -> list[str]:
    """Make up words; a dict keeps their order, which a set would not."""
    syllables = SYLLABLES.split()
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        words["".join(random.choices(syllables, k=random.randint(1, 4)))] = None
    return list(words)


def _sentence_part(n: int, word: str) -> str:
    if n % 503 == 502:
        return f"{word} — “ok” ✓ é 日本 🎉"
    if n % 211 == 210:
        return f"`{word}_id`"
    if n % 97 == 96:
        return f"{word}.\n\n"
    return f"{word}." if n % 13 == 12 else word


def _code_line(n: int, words: list[str]) -> str:
    a, b, c, d, e, f = words
    match n // 6 % 6:
        case 0:
            return f'{n:6d}\tdef {a}_{b}(self, {c}: str = "{d}") -> None:'
        case 1:
            return f'{n:6d}\t    return self.{a}["{b}"].{c}({d}, {e}={n})'
        case 2:
            return f"src/{a}/{b}.py:{n % 900}: {c} {d} {e} '{f}'"
        case 3:
            return f'    if not {a} and {b} != "\\n{c}":  # {d} {e} {f}'
        case 4:
            return f"PASSED tests/test_{a}.py::test_{b}_{c} [{n % 100:3d}%]"
        case _:
            return f'\t\t"{a}": {{"{b}": {n}, "{c}": "{d} {e}"}},'
