"""Real files, read as they grow, shrink, move and go."""

# ruff: noqa: ASYNC230, ASYNC240 - what a test does to small local files takes no time

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

import pytest
import trio

from ccod import Checkpoint, Progress, Stream
from ccod.testing.intake import PATIENCE, MemoryIntake
from ccod_jsonl.reading import CHUNK
from tests.plugins.claude.claude_house import append, following

SESSION = "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a001"
OTHER = "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a002"
LINE = b'{"type":"user"}\n'
LONG_AGO = 1_600_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "projects"
    (root / "-home-me").mkdir(parents=True)
    return root


@pytest.fixture
def file(root: Path) -> Path:
    return root / "-home-me" / f"{SESSION}.jsonl"


@pytest.fixture
def intake() -> MemoryIntake:
    return MemoryIntake()


async def test_what_was_there_and_what_is_appended(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE)
    async with following(root, intake):
        await intake.has(file, LINE)
        append(file, LINE)
        await intake.has(file, 2 * LINE)
    first, second = intake.batches
    assert (first.change, first.size, first.history) == ("add", len(LINE), True)
    assert (second.change, second.size, second.history) == ("change", 2 * len(LINE), False)
    assert first.stream.conversation == SESSION
    assert first.stream.agent is None
    assert first.stream.path == str(file)
    assert first.stream.format == "claude"


async def test_only_the_first_look_at_a_root_finds_history(root: Path, file: Path, intake: MemoryIntake) -> None:
    """A whole history may just have been copied there: the times of its files say nothing."""
    file.write_bytes(LINE)
    while_it_runs, while_it_is_away = file.with_name(f"{OTHER}.jsonl"), file.with_name(f"{OTHER[:-1]}7.jsonl")
    async with following(root, intake):
        await intake.has(file, LINE)
        while_it_runs.write_bytes(LINE)
        await intake.has(while_it_runs, LINE)
    assert [batch.history for batch in intake.batches] == [True, False]
    intake = intake.restarted()
    while_it_is_away.write_bytes(LINE)
    async with following(root, intake):
        await intake.has(while_it_is_away, LINE)
    assert [batch.history for batch in intake.batches] == [False]


async def test_a_whole_record_does_not_wait_for_its_newline(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE + LINE[:-1])
    async with following(root, intake):
        await intake.has(file, LINE + LINE[:-1])
        append(file, b"\n" + LINE)
        await intake.has(file, 3 * LINE)
    bodies = [record.body for batch in intake.batches for record in batch.records]
    assert bodies == [LINE, LINE[:-1], b"\n", LINE]


async def test_what_never_ends_is_kept_once_nobody_writes(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE + LINE[:5])
    async with following(root, intake, check_after=0.01):
        await intake.until(lambda: intake.rest.get(str(file)) == LINE[:5])
        append(file, LINE[5:7])
        await intake.until(lambda: intake.rest[str(file)] == LINE[:7])
        assert intake.bytes[str(file)] == LINE
    intake = intake.restarted()
    append(file, LINE[7:])
    async with following(root, intake, check_after=0.01):
        await intake.until(lambda: intake.bytes[str(file)] == 2 * LINE and not intake.rest[str(file)])


async def test_history_that_never_ended_is_kept_at_once(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE + LINE[:5])
    os.utime(file, (LONG_AGO, LONG_AGO))
    async with following(root, intake):
        await intake.until(lambda: intake.rest.get(str(file)) == LINE[:5])
    assert [batch.history for batch in intake.batches] == [True]


async def test_history_that_was_left_open_is_read_on(root: Path, file: Path, intake: MemoryIntake) -> None:
    """An earlier version waited for the end of such a line for ever, and wrote that down."""
    file.write_bytes(LINE + LINE[:-1])
    os.utime(file, (LONG_AGO, LONG_AGO))
    status = file.stat()
    signature = [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    mark = [crc32(LINE), crc32(LINE), crc32(LINE)]
    state = {"signature": signature, "mark": mark, "searched": status.st_size, "history_end": status.st_size}
    intake.streams[str(file)] = (
        Stream(str(file), "claude", str(file), SESSION),
        Checkpoint(len(LINE), json.dumps(state)),
    )
    intake.bytes[str(file)] = LINE
    async with following(root, intake):
        await intake.has(file, LINE + LINE[:-1])
        await intake.until(lambda: intake.told.done == intake.told.total)
    assert [record.body for batch in intake.batches for record in batch.records] == [LINE[:-1]]


async def test_half_a_line_waits_for_its_rest(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE + LINE[:5])
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
        append(file, LINE[5:9])
        await trio.sleep(0.1)
        assert intake.bytes[str(file)] == LINE
        append(file, LINE[9:])
        await intake.has(file, 2 * LINE)


async def test_old_files_are_history_newest_first(root: Path, intake: MemoryIntake) -> None:
    files = [root / "-home-me" / f"{SESSION[:-1]}{number}.jsonl" for number in range(5)]
    for age, file in enumerate(files):
        file.write_bytes(LINE)
        os.utime(file, (LONG_AGO - age, LONG_AGO - age))
    async with following(root, intake):
        await intake.until(lambda: len(intake.batches) == len(files))
        append(files[3], LINE)
        await intake.until(lambda: len(intake.batches) == len(files) + 1)
    assert [batch.stream.path for batch in intake.batches[:-1]] == [str(file) for file in files]
    assert [batch.history for batch in intake.batches] == [True] * 5 + [False]
    assert intake.told.done == intake.told.total == 5 * len(LINE)


async def test_a_line_unfinished_at_discovery_is_news(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE + LINE[:7])
    os.utime(file, (LONG_AGO, LONG_AGO))
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
        with trio.fail_after(PATIENCE):
            while intake.told != Progress(len(LINE) + 7, len(LINE) + 7):
                await trio.sleep(0.01)
        append(file, LINE[7:])
        await intake.until(lambda: len(intake.batches) == 2)
    assert [batch.history for batch in intake.batches] == [True, False]


async def test_a_growing_file_is_read_during_the_backfill(root: Path, file: Path, intake: MemoryIntake) -> None:
    old = file.with_name(f"{OTHER}.jsonl")
    old.write_bytes(LINE)
    os.utime(old, (LONG_AGO, LONG_AGO))
    intake.takes_history = trio.Event()
    async with following(root, intake):
        append(file, LINE)
        await intake.has(file, LINE)
        append(file, LINE)
        await intake.has(file, 2 * LINE)
        assert not intake.of(old)
        intake.takes_history.set()
        await intake.has(old, LINE)


async def test_restart_continues_where_it_was(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE)
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
    append(file, LINE)
    intake = intake.restarted()
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
    assert intake.bytes == {str(file): 2 * LINE}
    assert not intake.batches[0].history


async def test_history_stays_history_over_a_restart(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE * 5000)
    os.utime(file, (LONG_AGO, LONG_AGO))
    intake.pause = 0.05
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
    assert len(intake.bytes[str(file)]) < len(LINE) * 5000
    intake = intake.restarted()
    async with following(root, intake):
        await intake.has(file, LINE * 5000)
    assert all(batch.history for batch in intake.batches)


async def test_truncation_begins_a_new_stream(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(b"a\n" * 10)
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
        file.write_bytes(b"b\n")
        await intake.has(f"{file}#2", b"b\n")
        file.write_bytes(b"")
        append(file, b"c\n" * 20)
        await intake.has(f"{file}#3", b"c\n" * 20)
    assert intake.bytes == {str(file): b"a\n" * 10, f"{file}#2": b"b\n", f"{file}#3": b"c\n" * 20}
    assert {batch.stream.conversation for batch in intake.batches} == {SESSION}
    assert {batch.stream.path for batch in intake.batches} == {str(file)}
    assert {batch.change for batch in intake.batches if batch.records} == {"add"}


@pytest.mark.parametrize("length", [1, 400, 3000])
async def test_rewritten_while_away(root: Path, file: Path, intake: MemoryIntake, length: int) -> None:
    """Longer than before, with the same first line: only the bytes before the old end tell."""
    file.write_bytes(LINE * 100 + b"a" * length + b"\n")
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
    again = LINE * 100 + b"b" * length + b"\n" + LINE
    file.write_bytes(again)
    intake = intake.restarted()
    async with following(root, intake):
        await intake.has(f"{file}#2", again)
    intake = intake.restarted()
    async with following(root, intake):
        append(file, LINE)
        await intake.has(f"{file}#2", again + LINE)


async def test_replaced_by_another_file(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE)
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
        fresh = file.with_suffix(".tmp")
        fresh.write_bytes(b"another, and longer than that before\n")
        fresh.replace(file)
        await intake.has(f"{file}#2", b"another, and longer than that before\n")
    assert intake.bytes[str(file)] == LINE


async def test_replaced_by_a_copy_that_goes_on(root: Path, file: Path, intake: MemoryIntake) -> None:
    """The same bytes and more are the same stream, as after a restored backup."""
    file.write_bytes(LINE)
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
        fresh = file.with_suffix(".tmp")
        fresh.write_bytes(2 * LINE)
        fresh.replace(file)
        await intake.until(lambda: len(intake.batches) == 2)
    assert intake.bytes == {str(file): 2 * LINE}


async def test_renamed(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE)
    target = root / "-home-you" / file.name
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
        file.parent.rename(target.parent)
        await intake.until(lambda: len(intake.batches) == 2)
        append(target, LINE)
        await intake.until(lambda: len(intake.batches) == 3)
    assert intake.bytes == {str(file): 2 * LINE}
    assert [batch.stream.path for batch in intake.batches] == [str(file), str(target), str(target)]
    assert intake.batches[1].records == []
    assert intake.batches[1].change == "change"


async def test_renamed_while_away(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE)
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
    target = file.with_name(f"{OTHER}.jsonl")
    file.rename(target)
    file.write_bytes(b"a new one\n")
    intake = intake.restarted()
    async with following(root, intake):
        await intake.until(lambda: len(intake.batches) == 2)
    assert intake.streams[str(file)][0].path == str(target)
    assert intake.bytes == {str(file): LINE, f"{file}#2": b"a new one\n"}


async def test_swapped(root: Path, file: Path, intake: MemoryIntake) -> None:
    other = file.with_name(f"{OTHER}.jsonl")
    file.write_bytes(b"one\n")
    other.write_bytes(b"two\n")
    async with following(root, intake):
        await intake.until(lambda: len(intake.batches) == 2)
    aside = file.with_name("aside")
    file.rename(aside)
    other.rename(file)
    aside.rename(other)
    intake = intake.restarted()
    async with following(root, intake):
        await intake.until(lambda: len(intake.batches) == 2)
    assert intake.streams[str(file)][0].path == str(other)
    assert intake.streams[str(other)][0].path == str(file)


async def test_deleted_is_told_once(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE + b"half")
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
        file.unlink()
        await intake.until(lambda: len(intake.batches) == 2)
        await trio.sleep(0.1)
    assert intake.batches[1].change == "unlink"
    assert intake.batches[1].records == ()
    again = intake.restarted()
    async with following(root, again):
        await trio.sleep(0.1)
    assert len(intake.batches) == 2
    assert again.batches == []


async def test_deleted_and_made_again(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE)
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
        file.unlink()
        await intake.until(lambda: len(intake.batches) == 2)
        file.write_bytes(b"something else entirely\n")
        await intake.has(f"{file}#2", b"something else entirely\n")
    assert intake.bytes[str(file)] == LINE


async def test_a_root_that_goes_away_deletes_nothing(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE)
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
        root.rename(root.with_name("unmounted"))
        await trio.sleep(0.1)
        root.with_name("unmounted").rename(root)
        append(file, LINE)
        await intake.until(lambda: len(intake.batches) == 2)
    assert intake.bytes == {str(file): 2 * LINE}
    assert intake.batches[1].change == "change"


async def test_missing_root_is_waited_for(tmp_path: Path, intake: MemoryIntake) -> None:
    root = tmp_path / "later" / "projects"
    async with following(root, intake):
        (root / "p").mkdir(parents=True)
        append(root / "p" / f"{SESSION}.jsonl", LINE)
        await intake.until(lambda: intake.batches)
    assert intake.bytes == {str(root / "p" / f"{SESSION}.jsonl"): LINE}


async def test_what_is_no_transcript(root: Path, file: Path, tmp_path: Path, intake: MemoryIntake) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / f"{OTHER}.jsonl").write_bytes(LINE)
    project = file.parent
    os.mkfifo(project / "fifo.jsonl")
    (project / "folder.jsonl").mkdir()
    (project / "link.jsonl").symlink_to(outside / f"{OTHER}.jsonl")
    (project / "loop.jsonl").symlink_to("loop.jsonl")
    (root / "linked").symlink_to(outside)
    (project / "journal.jsonl").write_bytes(LINE)
    (project / "notes.txt").write_bytes(LINE)
    (root / "stray.jsonl").write_bytes(LINE)
    (project / SESSION / "tool-results").mkdir(parents=True)
    (project / SESSION / "tool-results" / "x.jsonl").write_bytes(LINE)
    (project / SESSION / "subagents").mkdir()
    (project / SESSION / "subagents" / "notes.jsonl").write_bytes(LINE)
    file.write_bytes(LINE)
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
        await trio.sleep(0.1)
    assert list(intake.bytes) == [str(file)]


async def test_agents_and_sessions_without_uuid(root: Path, intake: MemoryIntake) -> None:
    names = {
        root / "p" / SESSION / "subagents" / "agent-a1.jsonl": (SESSION, "a1"),
        root / "p" / SESSION / "subagents" / "workflows" / "w" / "agent-a2.jsonl": (SESSION, "a2"),
        root / "p" / "agent-a3.jsonl": ("parent", "a3"),
        root / "p" / "hand-made.jsonl": ("parent", None),
        root / "p" / f"{OTHER}.jsonl": (OTHER, None),
    }
    for path in names:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(LINE + b'{"type":"user","sessionId":"parent"}\n')
    nameless = root / "p" / "nameless.jsonl"
    nameless.write_bytes(LINE)
    async with following(root, intake):
        await intake.until(lambda: len(intake.batches) == len(names) + 1)
    streams = {batch.stream.path: (batch.stream.conversation, batch.stream.agent) for batch in intake.batches}
    assert streams == {str(path): named for path, named in names.items()} | {str(nameless): ("nameless", None)}


async def test_names_that_are_no_text(root: Path, intake: MemoryIntake) -> None:
    path = os.fsencode(root) + b"/-home-me/caf\xe9 \xf0\x9f\x8d\xb0\n.jsonl"
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(LINE)
    async with following(root, intake):
        await intake.until(lambda: intake.batches)
    stream = intake.batches[0].stream
    assert stream.path.endswith("/caf\\udce9 🍰\n.jsonl")
    assert stream.conversation == "caf\\udce9 🍰\n"
    stream.path.encode()
    again = intake.restarted()
    with open(path, "ab") as file:  # noqa: PTH123
        file.write(LINE)
    async with following(root, again):
        await again.until(lambda: again.batches)
    assert list(again.bytes.values()) == [2 * LINE]


async def test_one_file_under_two_names(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE)
    twin = file.with_name(f"{OTHER}.jsonl")
    twin.hardlink_to(file)
    async with following(root, intake, roots=[str(root), f"{root}/", str(root.parent / "link")]):
        (root.parent / "link").symlink_to(root)
        await intake.until(lambda: intake.batches)
        append(file, LINE)
        await intake.until(lambda: len(intake.batches) == 2)
        await trio.sleep(0.1)
    assert list(intake.bytes.values()) == [2 * LINE]


async def test_a_line_too_long_comes_in_pieces(root: Path, file: Path, intake: MemoryIntake) -> None:
    long = b"x" * (CHUNK * 5 // 2) + b"\n"
    file.write_bytes(LINE + long[:-1])
    async with following(root, intake, max_line=2 * CHUNK):
        await intake.until(lambda: len(intake.bytes.get(str(file), b"")) > 2 * CHUNK)
    intake = intake.restarted()
    append(file, b"\n" + LINE)
    async with following(root, intake, max_line=2 * CHUNK):
        await intake.has(file, LINE + long + LINE)
    assert [(record.piece, len(record.body)) for batch in intake.batches for record in batch.records] == [
        (3, CHUNK // 2 + 1),
        (0, len(LINE)),
    ]


async def test_unreadable_now_and_readable_later(intake: MemoryIntake) -> None:
    with tempfile.TemporaryDirectory() as folder, no_superuser(Path(folder)):
        project = Path(folder) / "project"
        project.mkdir()
        locked, open_file = project / "locked.jsonl", project / "open.jsonl"
        for path in (locked, open_file):
            path.write_bytes(LINE)
        locked.chmod(0)
        async with following(Path(folder), intake):
            await intake.until(lambda: intake.of(open_file))
            assert not intake.of(locked)
            locked.chmod(0o600)
            await intake.until(lambda: intake.of(locked))
            project.chmod(0)
            await trio.sleep(0.1)
            project.chmod(0o700)
            append(open_file, LINE)
            await intake.until(lambda: len(intake.batches) == 3)
        assert {batch.change for batch in intake.batches[:2]} == {"add"}
        assert intake.batches[2].change == "change"


@contextmanager
def no_superuser(folder: Path) -> Iterator[None]:
    """Give up the rights that would open every file, for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(folder, 65534, -1)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_nothing_below_the_root_is_changed(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes(LINE)
    for folder in (file.parent, root):
        folder.chmod(0o500)
    file.chmod(0o400)
    before = _state(root)
    async with following(root, intake, watcher="auto"):
        await intake.until(lambda: intake.batches)
    assert _state(root) == before
    root.chmod(0o700)
    file.parent.chmod(0o700)


async def test_an_unchanged_tree_is_not_read(root: Path, file: Path, intake: MemoryIntake, opened: list[str]) -> None:
    for number in range(50):
        file.with_name(f"{number}.jsonl").write_bytes(LINE + b"half a line")
    async with following(root, intake):
        await intake.until(lambda: len(intake.batches) == 50)
        await trio.sleep(0.05)
        opened.clear()
        await trio.sleep(0.2)
    assert opened == []
    for number in range(50):
        append(file.with_name(f"{number}.jsonl"), b"\n")
    async with following(root, intake):
        await intake.until(lambda: len(intake.batches) == 100)
    opened.clear()
    async with following(root, intake.restarted()):
        await trio.sleep(0.2)
    assert opened == []


@pytest.fixture(scope="module")
def audited() -> list[str]:
    """The transcripts that this process opens, from now on: an audit hook cannot be taken back."""
    names: list[str] = []

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith(".jsonl"):
            names.append(str(arguments[0]))

    sys.addaudithook(note)
    return names


@pytest.fixture
def opened(audited: list[str]) -> list[str]:
    audited.clear()
    return audited


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the system does not count what a process reads")
async def test_an_append_costs_its_own_bytes(root: Path, file: Path, intake: MemoryIntake) -> None:
    file.write_bytes((b"x" * 4095 + b"\n") * 2500)
    whole = len(file.read_bytes())
    async with following(root, intake, watcher="inotify", scan_interval=3600, scan_interval_idle=3600):
        await intake.until(lambda: len(intake.bytes.get(str(file), b"")) == whole)
        before = _bytes_read()
        append(file, LINE)
        await intake.until(lambda: len(intake.bytes[str(file)]) == whole + len(LINE))
        assert _bytes_read() - before < 65_536


def _bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def _state(root: Path) -> list[tuple[str, int, int, int]]:
    return sorted((str(p), s.st_mode, s.st_mtime_ns, s.st_ctime_ns) for p in root.rglob("*") for s in [p.stat()])


async def test_other_roots_are_followed_without_a_restart(root: Path, file: Path, intake: MemoryIntake) -> None:
    other = root.parent / "others" / "-home-me" / f"{OTHER}.jsonl"
    other.parent.mkdir(parents=True)
    file.write_bytes(LINE)
    other.write_bytes(LINE)
    async with following(root, intake) as settings:
        await intake.has(file, LINE)
        settings.roots = [str(root), str(root.parent / "others")]
        await intake.has(other, LINE)
        append(file, LINE)
        append(other, LINE)
        await intake.has(file, 2 * LINE)
        await intake.has(other, 2 * LINE)
        settings.roots = [str(root)]
        append(other, LINE)
        append(file, LINE)
        await intake.has(file, 3 * LINE)
    assert len(intake.of(file)) == 3
