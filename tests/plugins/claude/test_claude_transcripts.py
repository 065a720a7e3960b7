"""What of a transcript outlives the process, and when there is something to read of it."""

from __future__ import annotations

from typing import Any

import pytest

from ccod import Checkpoint, Stream
from ccod_jsonl.reading import Position
from ccod_jsonl.transcripts import Found, Mark, State, Transcript, checkpoint, restored

PATH = "/root/p/a.jsonl"
STREAM = Stream("key", "claude", PATH, "a")
FOUND = Found(PATH, "/root", ("p", "a.jsonl"), (5, 7, 30, 2_500_000_000, 3))
KEPT = ("position", "mark", "history_end", "signature", "generation", "gone", "superseded", "unchecked")


def kept(transcript: Transcript) -> list[object]:
    return [getattr(transcript, name) for name in KEPT]


def test_what_a_signature_says() -> None:
    assert (FOUND.identity, FOUND.size, FOUND.modified) == ((5, 7), 30, 2.5)


def test_a_checkpoint_says_all_that_outlives_the_process() -> None:
    before = Transcript(FOUND, STREAM, Position(7, 2, 9), Mark(1, 2, 3), 20, FOUND.signature, generation=3)
    before.gone = before.superseded = before.unchecked = True
    after = restored(STREAM, checkpoint(before))
    assert kept(after) == kept(before)
    assert (after.found.path, after.found.identity, after.stream) == (PATH, (5, 7), STREAM)
    assert (after.found.root, after.found.parts, after.found.place) == ("", (), None)


@pytest.mark.parametrize("state", ["{}", "[nonsense", '{"generation":"x"}', '{"of":"a later version"}'])
def test_what_a_checkpoint_does_not_say_is_as_at_first(state: str) -> None:
    after = restored(STREAM, Checkpoint(7, state))
    assert kept(after) == [Position(7, 0, 0), Mark(0, 0, 0), 0, None, 1, False, False, False]
    assert after.found.identity == (0, 0)


def test_nothing_is_known_of_a_new_file() -> None:
    new = Transcript(FOUND)
    assert kept(new) == [Position(0, 0, 0), Mark(0, 0, 0), 0, None, 1, False, False, False]
    assert (new.stream, new.predecessor, new.misses) == (None, None, 0)
    assert {new.proved, new.rewritten, new.held, new.again, new.warned} == {False}
    assert State() == State(None, Mark(0, 0, 0), 0, 0, 0, 1, gone=False, superseded=False, unchecked=False)


def test_history_is_what_was_there_before() -> None:
    for offset, left in ((0, 10), (9, 1), (10, 0), (11, 0)):
        transcript = Transcript(FOUND, position=Position(offset), history_end=10)
        assert (transcript.history_left, transcript.is_history) == (left, left > 0)


@pytest.mark.parametrize(
    ("change", "is_read"),
    [
        ({}, True),
        ({"position": Position(10, 0, 30)}, True),
        ({"position": Position(10, 0, 29)}, False),
        ({"signature": None}, False),
        ({"signature": (5, 7, 30, 2_500_000_000, 4)}, False),
        ({"history_end": 31}, False),
        ({"gone": True}, False),
        ({"stream": Stream("key", "claude", "/elsewhere", "a")}, False),
        ({"stream": None}, True),
    ],
)
def test_when_all_is_read(change: dict[str, Any], is_read: bool) -> None:
    transcript = Transcript(FOUND, STREAM, Position(30, 0, 30), signature=FOUND.signature)
    for name, value in change.items():
        setattr(transcript, name, value)
    assert transcript.is_read == is_read
    assert transcript.has_moved == (transcript.stream is not None and transcript.stream.path == "/elsewhere")
