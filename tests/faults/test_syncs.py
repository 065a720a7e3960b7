"""How often the disk is waited for: a line that is stored costs no sync, a full journal costs a few."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.daemon import open_daemon
from tests.e2e.lines import SESSION, line
from tests.faults.tracing import can_trace, changes, traced

LINES = 100
SYNCS_OF_A_JOURNAL = 4
"""The journal before, the database after, and as much again where the file is cut."""
JOURNAL_BYTES = 4_000_000
"""It is emptied when it is that long, at the earliest."""


@pytest.mark.skipif(not can_trace(), reason="strace is not there, or this user may not trace")
async def test_lines_stored_one_by_one_are_not_synced_one_by_one(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    async with open_daemon(tmp_path, {"http": {"socket": str(tmp_path / "ccod.sock")}}, start=False) as daemon:
        transcript = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
        transcript.parent.mkdir()
        transcript.write_bytes(line("before"))
        await daemon.start(traced(trace))
        began = len(list(changes(trace, daemon.home.database.parent)))
        async with daemon.websocket("conversations") as listener:
            for number in range(LINES):
                with transcript.open("ab") as file:
                    file.write(line(f"number {number}"))
                await listener.event("message_added")
        assert await daemon.terminate() == 0, daemon.report()
    done = list(changes(trace, daemon.home.database.parent))[began:]
    commits = [change for change in done if change.kind == "write" and change.path.endswith("-wal")]
    syncs = [change for change in done if change.kind == "sync"]
    assert len(commits) > LINES
    journals = 1 + sum(len(change.data) for change in commits) // JOURNAL_BYTES
    assert len(syncs) <= SYNCS_OF_A_JOURNAL * journals, (len(syncs), journals)
