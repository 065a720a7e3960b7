"""Who is read next: history by the last word, news each in its turn, and nothing twice."""

from __future__ import annotations

from ccod_jsonl.lanes import Lanes
from ccod_jsonl.transcripts import NOWHERE, Found, Transcript


def transcripts(history_end: int) -> list[Transcript]:
    return [Transcript(Found(name, "/", (name,), NOWHERE), history_end=history_end) for name in "abc"]


async def test_news_come_each_in_its_turn_and_once() -> None:
    lanes = Lanes(60)
    one, other, third = transcripts(0)
    for each in (one, other, third, one):
        lanes.put(each)
    lanes.put(third, first=True)
    assert [await lanes.live.take() for _ in range(3)] == [one, other, third]
    lanes.put(one)
    assert await lanes.live.take() is one


async def test_of_history_comes_first_what_was_put_first() -> None:
    lanes = Lanes(60)
    one, other, third = transcripts(10)
    for each in (one, other, third, one):
        lanes.put(each)
    lanes.put(third, first=True)
    assert [await lanes.history.take() for _ in range(3)] == [third, one, other]


async def test_what_is_held_is_put_into_no_lane() -> None:
    lanes = Lanes(60)
    held, free, _ = transcripts(0)
    held.held = True
    lanes.put(held)
    lanes.put(free)
    assert await lanes.live.take() is free
    assert (held.again, free.again) == (True, False)
