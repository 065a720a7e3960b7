"""What daemons tell each other of a transaction: names only, for everything else is in the database."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct

from ccod import FileChange, Stored

MOST_BYTES = 7900
"""PostgreSQL carries up to 7,999, the revision among them."""


class Notice(Struct, frozen=True):
    """A transaction of the daemon `node` made `revision`. `stored` is None where there is nothing to tell of it."""

    node: str
    revision: int
    stored: Stored | None


def text_of(node: str, stored: Stored | None) -> str:
    """Return what is sent. What is too long for one notice is told without names: its events are found anyway."""
    if stored is None:
        return json.dumps([node])
    file = stored.file and [stored.file.type, stored.file.path, stored.file.size, stored.file.machine]
    text = json.dumps([node, [*stored.conversations], [*stored.projects], file])  # ASCII, whatever is in it
    return text if len(text) <= MOST_BYTES else json.dumps([node, [], [], None])


def read(payload: bytes) -> Notice | None:
    """Return what was sent; None for what no daemon of this version sends."""
    revision, _, text = payload.partition(b" ")
    try:
        node, *names = json.loads(text)
        return Notice(node, int(revision), _stored(*names) if names else None)
    except (ValueError, TypeError):
        return None


def _stored(conversations: list[str], projects: list[str], file: list[Any] | None) -> Stored:
    return Stored((), conversations, projects, FileChange(*file) if file else None)
