"""A disk that may forget, when the power goes, whatever was not synced: all of it, some of it, or parts of a write.

Names in the folder are as lasting as it was synced itself; of the later changes of names a first part is kept.
"""

from __future__ import annotations

import random

from msgspec import Struct

from tests.faults.tracing import Change

UNITS = (0, 512, 4096)
"""A write is kept as a whole, or sector by sector."""


class Inode:
    """A file: what is on the disk for sure, and what was done to it since."""

    def __init__(self) -> None:
        self.lasting = bytearray()
        self.pending: list[Change] = []
        self.end = 0

    def sync(self) -> None:
        for change in self.pending:
            _apply(self.lasting, change)
        self.pending.clear()

    def after_a_cut(self, fate: Fate) -> bytes:
        content = bytearray(self.lasting)
        for change in self.pending:
            for part in fate.parts(change):
                _apply(content, part)
        return bytes(content)


class Fate(Struct, frozen=True):
    """What becomes of what was not synced: each unit of it is kept with a chance."""

    dice: random.Random
    chance: float
    unit: int

    @classmethod
    def drawn(cls, dice: random.Random) -> Fate:
        return cls(dice, dice.choice((0, 1, dice.random(), dice.random())), dice.choice(UNITS))

    def parts(self, change: Change) -> list[Change]:
        """Return what is kept of a change."""
        if change.kind == "truncate" or not self.unit or change.place is None:
            return [change] if self._keeps() else []
        parts, at, data = [], change.place, change.data
        while data:
            length = self.unit - at % self.unit
            if self._keeps():
                parts.append(Change("write", change.at, change.path, data[:length], at))
            at, data = at + length, data[length:]
        return parts

    def names(self, count: int) -> int:
        """Return how many of so many changes of names are kept."""
        return self.dice.randint(0, count) if 0 < self.chance < 1 else round(self.chance * count)

    def _keeps(self) -> bool:
        return self.dice.random() < self.chance


class LossyDisk:
    """A folder without folders in it."""

    def __init__(self) -> None:
        self._names: dict[str, Inode] = {}
        self._lasting: dict[str, Inode] = {}
        self._renamed: list[dict[str, Inode]] = []

    def take(self, change: Change) -> None:
        match change.kind:
            case "open":
                self._open(change)
            case "rename":
                self._names[change.to] = self._names.pop(change.path)
                self._renamed.append(dict(self._names))
            case "unlink":
                self._names.pop(change.path, None)
                self._renamed.append(dict(self._names))
            case "sync" if not change.path:
                self._lasting, self._renamed = dict(self._names), []
            case "sync":
                self._names[change.path].sync()
            case _:
                self._write(self._names[change.path], change)

    def after_a_cut(self, fate: Fate) -> dict[str, bytes]:
        """Return the files, by name, that are found when the power is back."""
        kept = fate.names(len(self._renamed))
        names = self._renamed[kept - 1] if kept else self._lasting
        return {name: inode.after_a_cut(fate) for name, inode in names.items()}

    def _open(self, change: Change) -> None:
        if change.path not in self._names:
            self._names[change.path] = Inode()
            self._renamed.append(dict(self._names))
        if change.place is not None:
            self._write(self._names[change.path], Change("truncate", change.at, change.path, place=0))

    def _write(self, inode: Inode, change: Change) -> None:
        if change.place is None:
            change = Change("write", change.at, change.path, change.data, inode.end)
            inode.end += len(change.data)
        elif change.kind == "truncate":
            inode.end = min(inode.end, change.place)
        inode.pending.append(change)


def _apply(content: bytearray, change: Change) -> None:
    place = change.place or 0
    if change.kind == "truncate":
        del content[place:]
        content.extend(bytes(place - len(content)))
        return
    content.extend(bytes(max(0, place - len(content))))
    content[place : place + len(change.data)] = change.data
