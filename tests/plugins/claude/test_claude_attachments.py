"""Files beside a transcript: kept byte for byte, whatever their lines are."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccod import Record, Stream
from ccod.testing.intake import MemoryIntake
from ccod_claude.attachments import AttachmentParser
from ccod_jsonl.reading import CHUNK
from tests.plugins.claude.claude_house import append, following

SESSION = "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a001"
META = b'{"agentType":"Explore","description":"Look around","toolUseId":"toolu_1"}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "projects" / "-home-me" / SESSION
    for name in ("tool-results", "subagents"):
        (folder / name).mkdir(parents=True)
    return folder


@pytest.mark.parametrize("watcher", ["none", "auto"])
async def test_kept_without_a_last_newline(folder: Path, watcher: str) -> None:
    output, meta = folder / "tool-results" / "toolu_1.txt", folder / "subagents" / "agent-a1.meta.json"
    intake = MemoryIntake()
    async with following(folder.parent.parent, intake, watcher=watcher):
        output.write_bytes(b"first\nlast, without an end")
        meta.write_bytes(META)
        await intake.has(output, b"first\nlast, without an end")
        await intake.has(meta, META)
        append(output, b" yet")
        await intake.has(output, b"first\nlast, without an end yet")
    streams = {stream.path: stream for stream, _ in intake.streams.values()}
    assert {stream.kind for stream in streams.values()} == {"attachment"}
    assert {stream.conversation for stream in streams.values()} == {SESSION}
    assert {stream.format for stream in streams.values()} == {"claude-attachment"}
    assert (streams[str(output)].agent, streams[str(meta)].agent) == (None, "a1")


async def test_large_and_binary(folder: Path) -> None:
    output = folder / "tool-results" / "toolu_2.txt"
    data = bytes(range(256)) * (3 * CHUNK // 256) + b"x"
    output.write_bytes(data)
    intake = MemoryIntake()
    async with following(folder.parent.parent, intake):
        await intake.has(output, data)
    assert max(len(record.body) for batch in intake.batches for record in batch.records) == CHUNK


async def test_written_anew(folder: Path) -> None:
    """A subagent's description of the same length: only the checksum tells."""
    meta = folder / "subagents" / "agent-a1.meta.json"
    meta.write_bytes(META)
    intake = MemoryIntake()
    async with following(folder.parent.parent, intake):
        await intake.has(meta, META)
        meta.write_bytes(META.replace(b"Explore", b"General"))
        await intake.has(f"{meta}#2", META.replace(b"Explore", b"General"))
    assert intake.bytes[str(meta)] == META


def test_nothing_in_it_is_a_record() -> None:
    stream = Stream("k", "claude-attachment", "/f", SESSION, kind="attachment")
    assert list(AttachmentParser().parse(stream, Record(0, META))) == []
    assert AttachmentParser().content(b"caf\xe9").text == "caf�"
