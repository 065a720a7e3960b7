"""Every figure and every cost of real transcripts, also while they grow, with restarts at any place."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import trio

from ccod import Bus, Health
from ccod.pipeline import Pipeline
from ccod_claude.settings import ClaudeSettings
from ccod_claude.source import ClaudeSource
from tests.plugins.claude.claude_house import whole_records
from tests.real import ABSENT, DATA
from tests.truth import PARSER, differences, figures, open_storage, store, truths

if not truths():
    pytest.skip(ABSENT, allow_module_level=True)

PATIENCE = 20


async def test_every_figure_of_every_file(tmp_path: Path) -> None:
    database = tmp_path / "ccod.db"
    wrong = {}
    async with open_storage(database) as storage:
        for truth in truths():
            found = await figures(storage, database, await store(storage, truth))
            wrong[truth["file"]] = list(differences(truth, found))
            assert found["types"] == truth["types"]
            assert found["tool_uses_by_name"] == truth["tool_uses_by_name"]
    assert {file: lines for file, lines in wrong.items() if lines} == {}


def chains() -> dict[str, list[dict[str, Any]]]:
    """Return the successive copies of each file that was caught growing, by what their names have in common."""
    found: dict[str, list[dict[str, Any]]] = {}
    for truth in truths():
        if Path(truth["file"]).name.startswith("chain-"):
            found.setdefault(truth["file"].rpartition("-")[0], []).append(truth)
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("chain", list(chains()))
async def test_a_growing_file_gives_the_same_figures(chain: str, seed: int, tmp_path: Path) -> None:
    bodies = [((DATA / truth["file"]).read_bytes(), truth) for truth in chains()[chain]]
    copies = {len(body): truth for body, truth in bodies}
    whole = max((body for body, _ in bodies), key=len)
    cuts = random.Random(seed).sample(range(1, len(whole)), 6)
    root, database, session = tmp_path / "projects", tmp_path / "ccod.db", chain.rpartition("-")[2]
    transcript = root / "project" / f"{session}.jsonl"
    transcript.parent.mkdir(parents=True)
    for cut in sorted({*cuts, *copies}):
        transcript.write_bytes(whole[:cut])
        await read(root, database, len(whole_records(whole[:cut])))
        if cut in copies:
            async with open_storage(database) as storage:
                (stream, _) = (await storage.checkpoints("claude"))[0]
                found = await figures(storage, database, stream.conversation)
            assert list(differences(copies[cut], found)) == []


async def read(root: Path, database: Path, end: int) -> None:
    """Open everything, read up to `end`, close everything."""
    settings = ClaudeSettings(roots=[str(root)], watcher="none", scan_interval=0.01, scan_interval_idle=0.01)
    async with open_storage(database) as storage, trio.open_nursery() as nursery:
        pipeline = Pipeline({PARSER.format: PARSER}, storage, Bus(), Health())
        await nursery.start(pipeline.run)
        source, intake = ClaudeSource(settings), pipeline.intake("claude")
        with trio.fail_after(PATIENCE):
            await nursery.start(lambda task_status: source.run(intake, task_status=task_status))
            while max((mark.offset for _, mark in await storage.checkpoints("claude")), default=0) < end:
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
