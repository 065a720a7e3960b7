"""Where transcripts stand below a root: what an agent's own source says of its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from ccod import StreamKind


class Place(NamedTuple):
    """What a file's path tells: its agent, and its conversation, which is a guess where the lines know better."""

    conversation: str
    agent: str | None
    guessed: bool = False
    kind: StreamKind = "transcript"


def everywhere(_: Sequence[str]) -> bool:
    return True


def as_placed(place: Place, _: bytes) -> str:
    return place.conversation


class Layout(Struct, frozen=True):
    """`parts` are a path below a root, name by name, as the file system has them.

    `suffixes` are those of all files of interest. `place(parts)` tells what a file with one of them stands for, or None
    where it is none of the agent's; `is_entered(parts)` whether any can stand in or below a folder. `formats` name the
    parser for each kind of file. `conversation(place, beginning)` is the id of a file's conversation, for which the
    first bytes that were read of it may be asked, too.
    """

    suffixes: tuple[str, ...]
    place: Callable[[Sequence[str]], Place | None]
    formats: Mapping[StreamKind, str]
    is_entered: Callable[[Sequence[str]], bool] = everywhere
    conversation: Callable[[Place, bytes], str] = as_placed


def readable(name: str) -> str:
    """Return a file name as text that can be stored, whatever bytes it has."""
    return name if name.isascii() else name.encode("utf-8", "backslashreplace").decode()
