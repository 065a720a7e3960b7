"""Tells keys that chance made from those that somebody could guess."""

from __future__ import annotations

from itertools import pairwise

SHORTEST = 32
REMEDY = "take the output of `openssl rand -base64 32`, or leave it out and ccod makes one"
SAMPLES = (
    "yoursecret",
    "yourproductionsecret",
    "yourjwtsecret",
    "supersecret",
    "secretkey",
    "changeme",
    "changethis",
    "changeit",
    "replaceme",
    "replacethis",
    "placeholder",
    "example",
    "password",
    "keyboardcat",
)
"""What stands in sample configurations, letters and digits alone. Chance makes such a text once in ten billion keys."""


def weakness(text: str) -> str | None:
    """Return what makes a key guessable, or None for one that looks as if chance had made it."""
    size = len(text.encode(errors="surrogateescape"))
    if size < SHORTEST:
        return f"{size} bytes are too few, {SHORTEST} are the least"
    plain = "".join(filter(str.isalnum, text.lower()))
    if any(sample in plain for sample in SAMPLES):
        return "it is a text from a sample"
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    triples = {text[at : at + 3] for at in range(len(text) - 2)}
    if len(set(text)) < 8 or len(steps) < 8 or len(triples) < 20:
        return "it repeats itself, or counts"
    return None
