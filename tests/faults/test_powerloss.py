"""A few cuts of `python -m tests.faults.powerloss`, and the disk on which it cuts."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.lossy_disk import Fate, LossyDisk
from tests.faults.powerloss import powerloss
from tests.faults.tracing import Change, can_trace

DICE = random.Random(1)
NOTHING, ALL = Fate(DICE, 0, 0), Fate(DICE, 1, 512)


@pytest.mark.skipif(not can_trace(), reason="strace is not there, or this user may not trace")
async def test_whatever_was_not_synced_may_be_lost(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    report = await powerloss(tmp_path, 2, seed, lives=1)
    assert report.cuts == 2
    assert report.synced > 0
    assert report.violations == 0, report


def test_a_disk_forgets_what_was_not_synced() -> None:
    disk = LossyDisk()
    for change in (
        Change("open", 0, "a"),
        Change("write", 0, "a", b"kept", 0),
        Change("sync", 0, "a"),
        Change("sync", 0, ""),
        Change("write", 0, "a", b"x" * 1000, 4),
        Change("rename", 0, "a", to="b"),
    ):
        disk.take(change)
    assert disk.after_a_cut(NOTHING) == {"a": b"kept"}
    assert disk.after_a_cut(ALL) == {"b": b"kept" + b"x" * 1000}
    torn = disk.after_a_cut(Fate(random.Random(3), 0.5, 512))
    (content,) = torn.values()
    assert content.strip(b"\0x") == b"kept"
    assert content != b"kept" + b"x" * 1000


def test_a_file_that_is_cut_or_emptied_may_come_back() -> None:
    disk = LossyDisk()
    disk.take(Change("open", 0, "a"))
    disk.take(Change("write", 0, "a", b"first"))
    disk.take(Change("sync", 0, "a"))
    disk.take(Change("sync", 0, ""))
    disk.take(Change("truncate", 0, "a", place=2))
    disk.take(Change("unlink", 0, "a"))
    disk.take(Change("open", 0, "a"))
    assert disk.after_a_cut(NOTHING) == {"a": b"first"}
    assert disk.after_a_cut(ALL) == {"a": b""}
