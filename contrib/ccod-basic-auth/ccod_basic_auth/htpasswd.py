"""Reads a htpasswd file: a line for each name, `name:$2y$…`, as `htpasswd -B` writes it.

Other hashes that such files may hold (MD5, SHA-1, crypt, plain text) are broken or guessed fast, and are not taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

HASH = re.compile(r"\$2y\$(?:0[4-9]|1[0-8])\$[./A-Za-z0-9]{53}")

Signature = tuple[int, int, int]


class Book(Struct, frozen=True):
    """The hash of each name, and what is wrong with other lines, by their numbers."""

    hashes: Mapping[str, bytes] = field(default_factory=dict)
    problems: Mapping[int, str] = field(default_factory=dict)


def read(path: Path) -> Book:
    """Return what stands in a file; raises OSError where it cannot be read."""
    hashes: dict[str, bytes] = {}
    problems: dict[int, str] = {}
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, kept = line.rstrip().partition(":")
        if not name or not colon:
            problems[number] = "is no name:hash"
        elif not HASH.fullmatch(kept):
            problems[number] = "has another hash than bcrypt of cost 4 to 18; set it again with `htpasswd -B`"
        elif name in hashes:
            problems[number] = "repeats a name"
        else:
            hashes[name] = kept.encode()
    return Book(hashes, problems)


def signature(path: Path) -> Signature | None:
    """Return what changes when a file does, or None where there is none to be read."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
