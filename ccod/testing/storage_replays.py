"""A storage is told the same thing twice, or in other portions: nothing changes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccod import Title
from ccod.testing.asking import Storages, conversation, messages, projects, send, shape
from ccod.testing.transcripts import Transcript, response, results, uses

IDS = st.sampled_from("abc")
TIMES = st.integers(1, 9)
TOKENS = st.integers(0, 50)
LINES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"kind": st.just("user"), "uuid": st.none() | IDS, "at": TIMES}),
    st.fixed_dictionaries({"kind": st.just("user"), "at": TIMES, "cwd": st.sampled_from(["/v", "/w"])}),
    st.fixed_dictionaries({"kind": st.just("user"), "at": TIMES, "tool_results": IDS.map(results)}),
    st.fixed_dictionaries({"kind": st.just("assistant"), "at": TIMES, "tool_uses": IDS.map(uses)}),
    st.fixed_dictionaries(
        {
            "kind": st.just("assistant"),
            "uuid": st.none() | IDS,
            "at": TIMES,
            "error": st.booleans(),
            "ends": st.sampled_from([None, "turn", "retries"]),
            "response": st.builds(response, IDS, TOKENS),
        }
    ),
    st.fixed_dictionaries(
        {"kind": st.just("title"), "title": st.builds(Title, IDS, st.sampled_from([0, 20, 50]))},
    ),
)
"""Lines that collide in as many ways as lines can; {} stands for garbage."""


class ReplayContract:
    """What every storage must do about replays."""

    async def test_a_replay_changes_nothing(self, storages: Storages) -> None:
        transcript = Transcript().add(uuid="a", at=1, cwd="/w")
        transcript.add("assistant", at=2, response=response(), tool_uses=uses("t"))
        async with storages() as storage:
            await send(storage, transcript)
            before = await messages(storage), await conversation(storage), await projects(storage)
            again = await send(storage, transcript, since=0)
            assert (again.events, again.conversations, again.projects) == ((), (), ())
            assert again.file is not None
            assert (await messages(storage), await conversation(storage), await projects(storage)) == before

    async def test_any_split_with_any_replays_equals_one_batch(self, storages: Storages) -> None:
        """Hypothesis runs in a thread, and every example in conversations of its own."""
        examples = 0

        async with storages() as storage:

            async def stored(name: str, lines: list[dict[str, Any]], cuts: list[int], history: bool) -> object:
                transcript = Transcript(name, path=f"/transcripts/{name}.jsonl")
                for line in lines:
                    transcript.add(**line) if line else transcript.add_garbage()
                ends = sorted({min(cut, len(lines)) for cut in cuts} | {len(lines)})
                for start, end in pairwise([0, *ends]):
                    await send(storage, transcript, since=max(0, start - 1), until=end, history=history)
                    await send(storage, transcript, since=start, until=end, history=history)
                return await shape(storage, name)

            @settings(max_examples=40, suppress_health_check=list(HealthCheck), database=None)
            @given(st.lists(LINES, min_size=1, max_size=12), st.lists(st.integers(1, 12), max_size=6), st.booleans())
            def check(lines: list[dict[str, Any]], cuts: list[int], history: bool) -> None:
                nonlocal examples
                examples += 1
                whole = trio.from_thread.run(stored, f"example-{examples}-whole", lines, [], history)
                parts = trio.from_thread.run(stored, f"example-{examples}-parts", lines, cuts, history)
                assert whole == parts

            await trio.to_thread.run_sync(check)

    async def test_a_message_that_a_rewritten_file_repeats_counts_once(self, storages: Storages) -> None:
        old = Transcript(key="k").add(uuid="a", at=1).add("assistant", uuid="b", at=2, response=response())
        new = Transcript(key="k#2").add(uuid="a", at=1).add("assistant", uuid="b", at=2, response=response())
        new.add(uuid="c", at=3).add(uuid="c", at=3)
        async with storages() as storage:
            await send(storage, old)
            stored = await send(storage, new)
            assert [event.message.id for event in stored.events if event.message] == ["c"]
            shown = await conversation(storage)
            assert [message.id for message in await messages(storage)] == ["a", "b", "c"]
        assert (shown.message_count, shown.response_count) == (3, 1)
        assert shown.usage == response().usage
