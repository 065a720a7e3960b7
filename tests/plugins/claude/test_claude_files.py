"""What a survey finds below several roots, and what one reading after the other says of a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ccod import Record
from ccod_claude.source import LAYOUT
from ccod_jsonl.files import HEAD, TAIL, Reading, ReplacedError, is_open, look, read_on, survey
from ccod_jsonl.transcripts import Found, Transcript

SESSION = "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a001"
LINE = b'{"type":"user"}\n'
MAX_LINE = 100_000


def entered(folders: list[str], *, has_room: bool = True) -> Callable[[str], bool]:
    def enter(folder: str) -> bool:
        folders.append(folder)
        return has_room

    return enter


def nothing(_: str) -> None:
    """Nothing is known of any path."""


def found_at(path: Path) -> Found:
    (found,) = look(LAYOUT, [str(path.parents[1])], [str(path)])
    return found


def advance(transcript: Transcript) -> Reading | None:
    """Read on, and remember what was read."""
    reading = read_on(transcript, MAX_LINE)
    if reading is not None:
        transcript.position, transcript.mark, transcript.signature = reading.position, reading.mark, reading.signature
    return reading


def bodies(reading: Reading | None) -> bytes:
    assert reading is not None
    return b"".join(record.body for record in reading.records)


def test_a_survey_finds_what_stands_below_each_root(root: Path, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    nested = other / "p" / SESSION / "subagents" / "deep" / "agent-a.jsonl"
    nested.parent.mkdir(parents=True)
    nested.write_bytes(LINE * 2)
    (other / "p" / SESSION / "elsewhere").mkdir()
    folders: list[str] = []
    seen = survey(LAYOUT, [str(root), str(other)], entered(folders), nothing)
    assert {(each.path, each.root, each.parts, each.size) for each in seen.found} == {
        (str(file), str(root), ("p", "a.jsonl"), len(LINE)),
        (str(nested), str(other), nested.relative_to(other).parts, 2 * len(LINE)),
    }
    assert (seen.blind, seen.unwatched) == ({}, 0)
    inside = [other, *(other / each for each in ("p", f"p/{SESSION}")), nested.parent.parent, nested.parent]
    assert folders == [str(each) for each in (root, root / "p", *inside)]
    assert {each.identity for each in seen.found} == {(s.st_dev, s.st_ino) for s in (file.stat(), nested.stat())}


def test_a_survey_counts_the_folders_that_are_not_watched(root: Path) -> None:
    assert survey(LAYOUT, [str(root)], entered([], has_room=False), nothing).unwatched == 2


def test_a_survey_follows_no_link_and_takes_nothing_but_files(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.jsonl").write_bytes(LINE)
    (root / "linked").symlink_to(outside)
    (root / "p" / "b.jsonl").symlink_to(outside / "b.jsonl")
    (root / "p" / "c.txt").write_bytes(LINE)
    (root / "p" / "c.other").write_bytes(LINE)
    os.mkfifo(root / "p" / "d.jsonl")
    folders: list[str] = []
    assert survey(LAYOUT, [str(root)], entered(folders), nothing).found == []
    assert folders == [str(root), str(root / "p")]
    assert look(LAYOUT, [str(root)], [str(root / "p" / "b.jsonl")]) == []


def test_what_has_not_changed_is_the_very_same_again(root: Path, file: Path) -> None:
    (first,) = survey(LAYOUT, [str(root)], entered([]), nothing).found
    (again,) = survey(LAYOUT, [str(root)], entered([]), {first.path: first}.get).found
    assert again is first
    elsewhere = Found(first.path, "/another", first.parts, first.signature, first.place)
    (again,) = survey(LAYOUT, [str(root)], entered([]), {first.path: elsewhere}.get).found
    assert (again is elsewhere, again) == (False, first)
    unplaced = Found(first.path, str(root), (), first.signature)
    (again,) = survey(LAYOUT, [str(root)], entered([]), {first.path: unplaced}.get).found
    assert again == first
    file.write_bytes(LINE * 2)
    (again,) = survey(LAYOUT, [str(root)], entered([]), {first.path: first}.get).found
    assert again.size == 2 * len(LINE)


def test_the_nearest_folder_to_a_root_that_is_not_there_is_watched(tmp_path: Path) -> None:
    folders: list[str] = []
    missing = str(tmp_path / "later" / "root")
    seen = survey(LAYOUT, [missing], entered(folders), nothing)
    assert folders == [missing, str(tmp_path)]
    assert isinstance(seen.blind[missing], FileNotFoundError)


def test_what_is_no_folder_is_blind_and_one_that_went_meanwhile_is_not(root: Path, file: Path) -> None:
    seen = survey(LAYOUT, [str(file), str(root)], entered([]), nothing)
    assert [*seen.blind] == [str(file)]
    assert isinstance(seen.blind[str(file)], NotADirectoryError)

    def remove(folder: str) -> bool:
        if folder.endswith("/p"):
            shutil.rmtree(folder)
        return True

    seen = survey(LAYOUT, [str(root)], remove, nothing)
    assert (seen.found, seen.blind) == ([], {})


def test_a_folder_whose_first_entry_leads_nowhere_is_open(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    assert is_open(str(tmp_path))


def test_a_path_is_looked_at_below_its_own_root(root: Path, file: Path, tmp_path: Path) -> None:
    roots = [str(tmp_path / "roo"), str(tmp_path / "other"), str(root)]
    (found,) = look(LAYOUT, roots, [str(file)])
    status = file.stat()
    assert (found.path, found.root, found.parts) == (str(file), str(root), ("p", "a.jsonl"))
    assert found.signature == (
        *(status.st_dev, status.st_ino, status.st_size),
        *(status.st_mtime_ns, status.st_ctime_ns),
    )
    assert found.modified == pytest.approx(status.st_mtime)


def test_a_file_is_read_on_from_where_reading_was(file: Path) -> None:
    transcript = Transcript(found_at(file))
    reading = advance(transcript)
    assert reading is not None
    assert reading.records == [Record(0, LINE)]
    assert (reading.size, reading.rest, reading.proved) == (len(LINE), None, False)
    assert reading.written_at == file.stat().st_mtime_ns // 1_000_000
    assert bodies(advance(transcript)) == b""
    for number in range(1, 200):  # longer than what is compared of it
        with file.open("ab") as appended:
            appended.write(b'{"n":%d}\n' % number)
        assert bodies(advance(transcript)) == b'{"n":%d}\n' % number
    assert transcript.position.offset == file.stat().st_size > HEAD


@pytest.mark.parametrize("at", [0, HEAD - 1, -1, -TAIL])
def test_a_file_that_was_rewritten_where_it_is_compared_is_another(file: Path, at: int) -> None:
    file.write_bytes(b"x" * 3 * HEAD + b"\n")
    transcript = Transcript(found_at(file))
    advance(transcript)
    advance(transcript)
    content = bytearray(file.read_bytes())
    content[at] = ord("y")
    file.write_bytes(content)
    assert read_on(transcript, MAX_LINE) is None


def test_a_file_that_was_cut_is_another(file: Path) -> None:
    file.write_bytes(LINE * 3)
    transcript = Transcript(found_at(file))
    advance(transcript)
    os.truncate(file, 2 * len(LINE))
    assert read_on(transcript, MAX_LINE) is None


def test_a_file_that_a_check_found_rewritten_is_another(file: Path) -> None:
    transcript = Transcript(found_at(file))
    advance(transcript)
    transcript.rewritten = True
    assert read_on(transcript, MAX_LINE) is None


def test_another_file_at_its_path_is_not_read(file: Path) -> None:
    transcript = Transcript(found_at(file))
    file.rename(file.with_suffix(".old"))
    file.write_bytes(LINE)
    with pytest.raises(ReplacedError):
        read_on(transcript, MAX_LINE)


def test_history_ends_where_it_ended_when_the_file_was_found(file: Path) -> None:
    file.write_bytes(LINE * 3 + LINE[:4])
    transcript = Transcript(found_at(file), history_end=2 * len(LINE))
    reading = advance(transcript)
    assert bodies(reading) == LINE * 2
    assert not transcript.is_history
    assert transcript.history_left == 0
    assert bodies(advance(transcript)) == LINE


def test_what_has_no_end_is_kept_of_history_at_once_and_of_news_once_proved(file: Path) -> None:
    file.write_bytes(LINE + LINE[:4])
    history = Transcript(found_at(file), history_end=len(LINE) + 4)
    reading = advance(history)
    assert reading is not None
    assert (bodies(reading), reading.rest) == (LINE, LINE[:4])
    news = Transcript(found_at(file))
    reading = advance(news)
    assert reading is not None
    assert reading.rest is None
    news.proved = True
    reading = advance(news)
    assert reading is not None
    assert (reading.proved, reading.rest) == (True, LINE[:4])
    with file.open("ab") as appended:
        appended.write(LINE[4:6])
    reading = advance(news)
    assert reading is not None
    assert (reading.proved, reading.rest) == (False, None)


def test_a_whole_record_needs_no_end(file: Path) -> None:
    file.write_bytes(LINE + LINE[:-1])
    for transcript in (Transcript(found_at(file)), Transcript(found_at(file), history_end=2 * len(LINE) - 1)):
        assert bodies(advance(transcript)) == LINE + LINE[:-1]


def test_what_stands_beside_a_transcript_is_read_without_lines(root: Path) -> None:
    path = root / "p" / SESSION / "tool-results" / "x.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no\nline")
    (found,) = look(LAYOUT, [str(root)], [str(path)])
    reading = read_on(Transcript(found, history_end=7), MAX_LINE)
    assert reading is not None
    assert (reading.records, reading.rest) == ([Record(0, b"no\nline")], None)
