"""A file is opened step by step from its root: whatever was put in the place of a step, nothing beyond is read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from zlib import crc32

import pytest

from ccod_claude.source import LAYOUT
from ccod_jsonl.files import ReplacedError, checksum, is_open, look
from ccod_jsonl.transcripts import Found

LINE = b'{"type":"user"}\n'
SESSION = "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a001"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root" / "p" / SESSION / "subagents"
    folder.mkdir(parents=True)
    (folder / "agent-a.jsonl").write_bytes(LINE)
    return tmp_path / "root"


def found_in(root: Path) -> Found:
    (found,) = look(LAYOUT, [str(root)], [str(root / "p" / SESSION / "subagents" / "agent-a.jsonl")])
    return found


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_what_stands_there_is_read(root: Path) -> None:
    assert checksum(found_in(root), 0, len(LINE), 0) == crc32(LINE)


@pytest.mark.parametrize(
    "step", ["p", f"p/{SESSION}", f"p/{SESSION}/subagents", f"p/{SESSION}/subagents/agent-a.jsonl"]
)
def test_a_link_in_the_place_of_a_step_is_not_followed(root: Path, tmp_path: Path, step: str) -> None:
    """The very same file is at the other end, so that only the link can be the reason."""
    found, elsewhere = found_in(root), tmp_path / "elsewhere"
    shutil.copytree(root, elsewhere, copy_function=os.link)
    replaced = root / step
    replaced.rename(tmp_path / "away")
    replaced.symlink_to(elsewhere / step)
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        checksum(found, 0, len(LINE), 0)


def test_a_checksum_is_worked_out_step_by_step(root: Path) -> None:
    """Of a part of the file, and of no more than that."""
    Path(found_in(root).path).write_bytes(LINE * 3)
    found, half = found_in(root), len(LINE) // 2
    before = checksum(found, 0, half, 0)
    assert before == crc32(LINE[:half])
    assert checksum(found, half, len(LINE), before) == crc32(LINE)


def test_a_folder_is_open_while_it_can_be_listed(root: Path) -> None:
    assert is_open(str(root))
    assert not is_open(str(root / "nowhere"))
    (root / "file").write_bytes(b"")
    assert not is_open(str(root / "file"))


def test_what_is_no_file_or_no_transcript_is_not_found(root: Path) -> None:
    folder, notes = root / "p" / "folder.jsonl", root / "p" / "notes.md"
    folder.mkdir()
    notes.write_bytes(LINE)
    assert (
        look(LAYOUT, [str(root)], [str(folder), str(notes), str(root / "p" / "gone.jsonl"), "/elsewhere.jsonl"]) == []
    )


def test_another_file_is_not_read(root: Path) -> None:
    found = found_in(root)
    file = Path(found.path)
    file.rename(file.with_suffix(".old"))
    file.write_bytes(LINE)
    with pytest.raises(ReplacedError):
        checksum(found, 0, len(LINE), 0)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="descriptors can be counted on Linux")
def test_no_descriptor_is_left_open(root: Path) -> None:
    found, before = found_in(root), descriptors()
    checksum(found, 0, len(LINE), 0)
    Path(found.path).unlink()
    with pytest.raises(FileNotFoundError):
        checksum(found, 0, len(LINE), 0)
    assert descriptors() == before
