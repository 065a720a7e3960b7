"""Which transcript a file is: after a restart, when files move, are replaced, have two names, and when they go."""

from __future__ import annotations

import time
from itertools import permutations
from typing import Any

import pytest

from ccod import Checkpoint, Stream
from ccod_claude.source import LAYOUT
from ccod_jsonl.catalogue import Catalogue
from ccod_jsonl.files import Survey
from ccod_jsonl.reading import Position
from ccod_jsonl.transcripts import Found, Transcript, checkpoint

ROOT = "/root"
SIZE = 30
HISTORY_AFTER = 300
Stored = tuple[Stream, Checkpoint]


def file(name: str, inode: int, *, root: str = ROOT, age: float = 0, size: int = SIZE) -> Found:
    parts = ("p", f"{name}.jsonl")
    written = int((time.time() - age) * 1e9)
    return Found(f"{root}/p/{name}.jsonl", root, parts, (1, inode, size, written, written), LAYOUT.place(parts))


def stored(name: str, inode: int, *, number: int = 1, root: str = ROOT, offset: int = 10, **more: Any) -> Stored:
    """Return what is kept of a transcript, whose key has this number behind it."""
    found = file(name, inode, root=root)
    stream = Stream(found.path if number == 1 else f"{found.path}#{number}", "claude", found.path, name)
    transcript = Transcript(found, stream, Position(offset, 0, offset), signature=found.signature, **more)
    return stream, checkpoint(transcript)


def catalogue(*known: Stored, roots: tuple[str, ...] = (ROOT,)) -> Catalogue:
    return Catalogue(known, roots, HISTORY_AFTER, LAYOUT)


def note(into: Catalogue, *files: Found) -> list[Transcript]:
    return into.note(files, all_paths={found.path: found for found in files})


def read(transcript: Transcript) -> Transcript:
    """Do as if all of it was read and stored."""
    found = transcript.found
    transcript.position = Position(found.size, 0, found.size)
    transcript.stream = transcript.stream or Stream(found.path, "claude", found.path, "c")
    transcript.signature, transcript.history_end = found.signature, 0
    return transcript


def key_at(known: Catalogue, found: Found) -> str:
    transcript = known.at(found.path)
    assert transcript is not None
    assert transcript.stream is not None
    return transcript.stream.key.removeprefix(found.path)


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_of_all_that_stood_at_a_path_the_one_that_goes_on_is_there(order: tuple[int, ...]) -> None:
    all_of_them = [
        stored("a", 1, superseded=True),
        stored("a", 2, number=2, generation=3, gone=True),
        stored("a", 3, number=3, generation=2),
    ]
    known = catalogue(*(all_of_them[place] for place in order))
    assert key_at(known, file("a", 3)) == "#3"
    assert known.followed == 1


@pytest.mark.parametrize("order", [*permutations(range(2))])
def test_of_those_that_are_gone_the_last_is_there(order: tuple[int, ...]) -> None:
    gone = [stored("a", 1, gone=True), stored("a", 2, number=2, generation=2, gone=True)]
    known = catalogue(*(gone[place] for place in order))
    assert key_at(known, file("a", 2)) == "#2"
    assert known.followed == 0


def test_a_rewritten_file_has_a_successor_that_is_yet_to_be_read() -> None:
    known = catalogue(stored("a", 1, superseded=True, generation=4))
    successor = known.at(file("a", 1).path)
    assert successor is not None
    assert (successor.stream, successor.generation, successor.position.offset) == (None, 5, 0)
    assert successor.predecessor is not None
    assert known.follows(successor)
    assert catalogue(stored("a", 1, superseded=True, gone=True)).at(file("a", 1).path) is None


def test_of_two_that_were_left_at_one_path_the_earlier_is_missed() -> None:
    known = catalogue(stored("a", 1), stored("a", 2, number=2, generation=2))
    seen = Survey([file("a", 2)], {})
    (missed,) = known.miss(seen)
    assert (missed.generation, missed.misses) == (1, 1)
    missed.gone = True
    assert known.miss(seen) == []


def test_a_successor_and_the_same_file_twice_are_not_missed() -> None:
    for other in (stored("a", 1, superseded=True), stored("a", 2, number=2)):
        known = catalogue(other, stored("a", 2, number=3, generation=2))
        assert known.miss(Survey([file("a", 2)], {})) == []


def test_history_goes_on_after_a_restart() -> None:
    known = catalogue(stored("a", 1, history_end=25), stored("b", 2, history_end=40), stored("c", 3))
    assert known.history_bytes == 15 + 30
    known = catalogue(stored("c", 3))
    assert known.history_bytes == 0


def test_what_was_not_checked_is_known_after_a_restart() -> None:
    known = catalogue(stored("a", 1), stored("b", 2, unchecked=True))
    assert [each.found.path for each in known.unchecked()] == [file("b", 2).path]


def test_what_is_below_a_root() -> None:
    known = catalogue(stored("a", 1, root="/other"), stored("b", 2, gone=True))
    assert known.has_some_below("/other")
    assert not known.has_some_below("/oth")
    assert not known.has_some_below(ROOT)


def test_the_first_look_at_a_root_finds_history_and_later_ones_what_is_old() -> None:
    known = catalogue(stored("a", 1, gone=True), roots=(ROOT, "/new"))
    at_new, at_known = file("b", 2, root="/new"), file("c", 3)
    ends = {each.found.path: each.history_end for each in note(known, at_new, at_known)}
    assert ends == {at_new.path: SIZE, at_known.path: 0}
    assert known.history_bytes == SIZE
    known.have_seen_all()
    old, older = file("d", 4, root="/new", age=2 * HISTORY_AFTER), file("e", 5, root="/new")
    ends = {each.found.path: each.history_end for each in note(known, old, older)}
    assert ends == {old.path: SIZE, older.path: 0}
    assert known.history_bytes == 2 * SIZE


def test_those_that_changed_last_are_read_first() -> None:
    files = [file("a", 1, age=20), file("b", 2, age=5), file("c", 3, age=10)]
    assert [each.found.path[-7] for each in note(catalogue(), *files)] == ["b", "c", "a"]


def test_what_is_read_is_not_read_again_until_it_changes() -> None:
    known, found = catalogue(), file("a", 1)
    transcript = read(*note(known, found))
    assert note(known, found) == []
    assert note(known, file("a", 1, size=SIZE + 1)) == [transcript]
    assert transcript.found.size == SIZE + 1


def test_a_file_that_turns_up_again_was_not_missed() -> None:
    known, found = catalogue(), file("a", 1)
    transcript = read(*note(known, found))
    assert known.miss(Survey([], {})) == [transcript]
    assert transcript.misses == 1
    assert note(known, found) == []
    assert transcript.misses == 0


def test_missed_is_only_what_could_have_been_seen() -> None:
    known = catalogue(stored("a", 1), stored("b", 2), stored("c", 3, root="/other"), stored("d", 4, gone=True))
    blind = {"/root/p/a.jsonl": OSError(), "/roo": OSError()}  # as of a folder with that name
    assert [each.found.path[-7] for each in known.miss(Survey([file("a", 1)], {}))] == ["b"]
    assert {each.found.path[-7] for each in known.miss(Survey([], blind))} == {"a", "b"}
    assert known.miss(Survey([], {ROOT: FileNotFoundError()})) == []
    assert [each.found.path[-7] for each in known.miss(Survey([], {f"{ROOT}/q": OSError()}))] == ["a", "b"]
    assert [each.misses for each in known.miss(Survey([], {}))] == [3, 4]


def test_a_moved_file_is_the_same_transcript_and_makes_room() -> None:
    known = catalogue()
    moved = read(*note(known, file("a", 1)))
    there, fresh = file("b", 1), file("a", 2)
    to_read = note(known, fresh, there)
    assert known.at(there.path) is moved
    new = known.at(fresh.path)
    assert new is not None
    assert new is not moved
    assert {*map(id, to_read)} == {id(moved), id(new)}
    assert moved.found is there


def test_a_moved_file_that_left_its_path_empty() -> None:
    known = catalogue()
    moved = read(*note(known, file("a", 1)))
    assert note(known, file("b", 1)) == [moved]
    assert known.at(file("a", 1).path) is None
    assert known.miss(Survey([file("b", 1)], {})) == []


def test_one_that_another_was_moved_over_is_missed_unless_it_turns_up() -> None:
    for turns_up in (False, True):
        known = catalogue()
        one, other = map(read, note(known, file("a", 1, age=1), file("b", 2, age=2)))
        assert note(known, file("b", 1)) == [one]
        if turns_up:
            assert note(known, file("b", 1), file("c", 2)) == [other, one]
        seen = Survey([file("b", 1), *([file("c", 2)] if turns_up else [])], {})
        assert known.miss(seen) == ([] if turns_up else [other])


def test_one_of_which_nothing_was_stored_is_displaced_without_a_word() -> None:
    known = catalogue()
    moved, unread = note(known, file("a", 1, age=1), file("b", 2, age=2))
    read(moved)
    assert note(known, file("b", 1)) == [moved]
    assert known.follows(moved)
    assert not known.follows(unread)
    assert known.miss(Survey([file("b", 1)], {})) == []


def test_one_that_is_being_read_when_another_is_moved_over_it_is_missed() -> None:
    known = catalogue()
    moved, held = note(known, file("a", 1, age=1), file("b", 2, age=2))
    read(moved)
    held.held = True
    note(known, file("b", 1))
    assert known.miss(Survey([file("b", 1)], {})) == [held]


def test_nothing_is_to_be_kept_of_a_file_that_moves_before_it_is_read() -> None:
    for held in (False, True):
        known = catalogue()
        (first,) = note(known, file("a", 1))
        first.held = held
        (now,) = note(known, file("b", 1))
        assert (now is first) == held


def test_a_file_with_two_names_is_one_transcript() -> None:
    known = catalogue()
    names = [file("a", 1, age=1), file("b", 1, age=2)]
    first = read(*note(known, *names))
    assert note(known, *names) == []
    assert known.followed == 1
    (gone_on,) = note(known, names[1] if first.found is names[0] else names[0])
    assert gone_on is first


def test_another_file_at_a_path_goes_on_there_and_its_inode_may_be_used_again() -> None:
    known = catalogue()
    transcript = read(*note(known, file("a", 1)))
    assert note(known, file("a", 2)) == [transcript]
    to_read = note(known, file("a", 2), file("b", 1))
    elsewhere = known.at(file("b", 1).path)
    assert elsewhere is not None
    assert elsewhere is not transcript
    assert transcript in to_read
    assert known.at(file("a", 2).path) is transcript


def test_what_begins_anew_stands_where_the_old_stood() -> None:
    known = catalogue()
    old = read(*note(known, file("a", 1)))
    new = known.succeed(old)
    assert (new.predecessor, new.generation, new.found) == (old, 2, old.found)
    assert known.at(old.found.path) is new
    assert note(known, file("b", 1)) != [old]
    assert known.follows(old)


def test_what_is_forgotten_is_found_as_new() -> None:
    known, found = catalogue(), file("a", 1)
    (transcript,) = note(known, found)
    assert known.found_at(found.path) is found
    assert known.has_file(found)
    known.forget(transcript)
    assert known.at(found.path) is None
    assert known.found_at(found.path) is None
    assert not known.has_file(found)


def test_forgetting_one_leaves_the_other_that_stands_there() -> None:
    known, found = catalogue(), file("a", 1)
    (old,) = note(known, found)
    new = known.succeed(old)
    known.forget(old)
    assert known.at(found.path) is new
    assert known.has_file(found)


def test_keys_are_never_used_twice_and_streams_go_on_at_the_present_path() -> None:
    known = catalogue(stored("a", 1, gone=True), stored("a", 2, number=2, gone=True))
    (transcript,) = note(known, file("b", 3))
    stream = known.stream(transcript, b"")
    assert (stream.key, stream.path, stream.format) == ("/root/p/b.jsonl", "/root/p/b.jsonl", "claude")
    assert (stream.agent, stream.kind, stream.conversation) == (None, "transcript", "b")
    keys = [known.stream(Transcript(file("a", 4)), b"").key for _ in range(2)]
    assert keys == ["/root/p/a.jsonl#3", "/root/p/a.jsonl#4"]
    assert known.stream(Transcript(file("b", 3)), b"").key == "/root/p/b.jsonl#2"
    transcript.stream, transcript.found = stream, file("c", 3)
    moved = known.stream(transcript, b"")
    assert (moved.key, moved.path) == (stream.key, "/root/p/c.jsonl")
