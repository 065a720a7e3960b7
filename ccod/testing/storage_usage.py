"""What a storage makes of API responses: costs, and which copy of one counts."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from ccod import QUARTER_MS, Activity, Storage, StretchQuery, Times, ToolResult, ToolStatistics, Totals, Usage
from ccod.testing.asking import Storages, conversation, send
from ccod.testing.transcripts import Transcript, response, results, uses

NANOS = 3 * 1000 + 10 * 5000 + 5 * 2000 + 7 * 100
"""The cost of a response of the model "large", as `response` makes it."""


def answer(message: str = "m", *, at: int = 1, sidechain: bool = False, **facts: Any) -> dict[str, Any]:
    return {"at": at, "sidechain": sidechain, "response": response(message, **facts)}


async def counted(storage: Storage, key: str = "conversation-1") -> list[tuple[str | None, str, bool, str]]:
    records = await storage.responses(key)
    return [(record.agent, record.response.request_id, record.counted, record.owner) for record in records]


class UsageContract:
    """What every storage must know of responses."""

    async def test_costs_grow_with_the_lines_of_a_response(self, storages: Storages) -> None:
        transcript = Transcript().add("assistant", **answer(output=10))
        async with storages() as storage:
            await send(storage, transcript)
            assert (await conversation(storage)).cost_nanos == NANOS
            await send(storage, transcript.add("assistant", **answer(output=11)))
            await send(storage, transcript.add("assistant", **answer(output=2)))
            await send(storage, Transcript(agent="a").add("assistant", **answer("other")))
            shown = await conversation(storage)
            first, second = await storage.responses("conversation-1")
            assert await storage.responses("nobody") == []
        assert (shown.cost_nanos, shown.unpriced_response_count) == (NANOS + 5000, 0)
        assert (first.line_count, first.response.usage.output_tokens) == (3, 11)
        assert first.cost is not None
        assert first.cost.nanos == shown.cost_nanos
        assert (second.agent, second.line_count, second.counted) == ("a", 1, True)

    async def test_cache_creation_is_counted_once_whichever_line_tells_how_long_it_lives(
        self, storages: Storages
    ) -> None:
        told = [Usage(3, 1, 5), Usage(3, 10, 0, 5), Usage(3, 2, 5)]
        for number, order in enumerate(permutations(told)):
            transcript = Transcript(f"c{number}")
            async with storages() as storage:
                for usage in order:
                    await send(storage, transcript.add("assistant", **answer(usage=usage)))
                shown = await conversation(storage, f"c{number}")
                (record,) = await storage.responses(f"c{number}")
            assert shown.usage == record.response.usage == Usage(3, 10, 0, 5)
            assert shown.cost_nanos == NANOS - 7 * 100

    async def test_what_has_no_price_is_told_and_not_zero(self, storages: Storages) -> None:
        transcript = Transcript().add("assistant", **answer("m1", model="unheard of"))
        transcript.add("assistant", **answer("m2", model="<synthetic>", usage=Usage()))
        transcript.add("assistant", **answer("m3", model="unheard of", usage=Usage()))
        async with storages() as storage:
            await send(storage, transcript)
            assert (await conversation(storage)).unpriced_response_count == 1
            await send(storage, transcript.add("assistant", **answer("m1", model="large", output=11)))
            shown = await conversation(storage)
            records = await storage.responses("conversation-1")
        assert (shown.cost_nanos, shown.unpriced_response_count) == (NANOS + 5000, 0)
        assert [record.cost is None for record in records] == [False, True, True]

    async def test_a_response_without_a_model_is_of_the_one_last_named_in_its_stream(self, storages: Storages) -> None:
        transcript, agent = Transcript(), Transcript(agent="a")
        async with storages() as storage:
            await send(storage, transcript.add("assistant", **answer("m1", model="")))
            await send(storage, transcript.add("context", model="small").add("assistant", **answer("m2", model="")))
            await send(storage, agent.add("context", model="other").add("assistant", **answer("m3", model="")))
        async with storages() as storage:
            await send(storage, transcript.add("assistant", **answer("m4", model="")))
            await send(storage, transcript.add("assistant", **answer("m5", model="large")))
            await send(storage, transcript.add("assistant", **answer("m6", model="")))
            await send(storage, agent.add("assistant", **answer("m7", model="")))
            shown = await conversation(storage)
            named = {each.response.message_id: each.response.model for each in await storage.responses(shown.id)}
        assert named == {
            "m1": "",
            "m2": "small",
            "m3": "other",
            "m4": "small",
            "m5": "large",
            "m6": "small",
            "m7": "other",
        }
        assert shown.model == "small"

    async def test_failed_responses_are_counted(self, storages: Storages) -> None:
        transcript = Transcript().add("assistant", uuid="a", error=True).add("assistant", uuid="a", error=True)
        transcript.add("system", error=True).add("assistant", uuid="b")
        async with storages() as storage:
            await send(storage, transcript)
            assert (await conversation(storage)).error_count == 1

    async def test_a_copied_response_counts_once(self, storages: Storages) -> None:
        async with storages() as storage:
            await send(storage, Transcript("fork").add("assistant", **answer(at=2)))
            assert await counted(storage, "fork") == [(None, "req", True, "fork")]
            await send(storage, Transcript("first").add("assistant", **answer(at=1)))
            assert await counted(storage, "fork") == [(None, "req", False, "first")]
            assert await counted(storage, "first") == [(None, "req", True, "first")]
            (only,) = await storage.stretches(StretchQuery())
            assert (only.first_at, only.totals) == (1, Totals(response().usage, NANOS, 1))
            assert {(await conversation(storage, key)).cost_nanos for key in ("fork", "first")} == {NANOS}

    async def test_a_copy_on_the_side_never_counts_beside_the_main_one(self, storages: Storages) -> None:
        async with storages() as storage:
            await send(storage, Transcript(agent="btw").add("assistant", **answer(at=1, request="again")))
            await send(storage, Transcript().add("assistant", **answer(at=2, request="aside", sidechain=True)))
            assert await counted(storage) == [
                ("btw", "again", False, "conversation-1"),
                (None, "aside", True, "conversation-1"),
            ]
            await send(storage, Transcript("main").add("assistant", **answer(at=3)))
            assert {owner for *_, owner in await counted(storage)} == {"main"}
            assert [stretch.totals.response_count for stretch in await storage.stretches(StretchQuery())] == [1]

    async def test_total_usage_adds_what_subagents_used_beyond(self, storages: Storages) -> None:
        own = Transcript().add("assistant", **answer("m1")).add("assistant", **answer("m2", model="small"))
        agent = Transcript(agent="a").add("assistant", **answer("m3")).add("assistant", **answer("m1", request="btw"))
        other = Transcript(agent="b").add("assistant", **answer("m3"))
        usage = response().usage
        async with storages() as storage:
            for transcript in (own, agent, other, Transcript("fork").add("assistant", **answer("m1", at=0))):
                await send(storage, transcript)
            assert await storage.total_usage("conversation-1") == {
                "large": Totals(usage + usage, 2 * NANOS, 2, 0),
                "small": Totals(usage, 0, 1, 1),
            }
            assert await storage.total_usage("nobody") == {}

    async def test_a_stretch_is_what_one_model_used_in_a_quarter_that_holds_its_end(self, storages: Storages) -> None:
        edge = 2 * QUARTER_MS
        transcript = Transcript()
        for number, at in enumerate([edge + 5, edge, edge + 2, edge + 1, edge - 7]):
            transcript.add("assistant", **answer(f"m{number}", at=at, model="small" if at == edge + 2 else "large"))
        transcript.add("assistant", **answer("notice", at=edge + 3, model="<synthetic>"))
        async with storages() as storage:
            await send(storage, transcript)
            found = await storage.stretches(StretchQuery())
            some = await storage.stretches(StretchQuery(edge, edge + 2))
        usage = response().usage
        assert [(each.model, each.first_at - edge, each.last_at - edge) for each in found] == [
            ("large", -7, 0),
            ("large", 1, 5),
            ("small", 2, 2),
            ("<synthetic>", 3, 3),
        ]
        assert found[0].totals == Totals(usage + usage, 2 * NANOS, 2)
        assert found[2].totals == Totals(usage, 0, 1, 1)
        assert found[3].totals == Totals(usage, 0, 1, 0)
        assert [(each.first_at - edge, each.last_at - edge) for each in some] == [(0, 0), (1, 1), (2, 2)]

    async def test_activity(self, storages: Storages) -> None:
        transcript = Transcript().add(at=1).add(at=2).add("assistant", at=3, tool_uses=uses("t1", "t2", "t3"))
        transcript.add(at=4, tool_results=[ToolResult("t1", duration_ms=10)])
        transcript.add(at=5, tool_results=[ToolResult("t2", is_error=True, duration_ms=30)])
        transcript.add("assistant", at=6).add(at=7, meta=True).add("assistant", at=8)
        transcript.add(at=9).add("assistant", at=14).add(at=15, tool_results=results("orphan")).add(at=16)
        async with storages() as storage:
            await send(storage, transcript)
            await send(storage, Transcript(agent="a").add(at=1).add("assistant", at=2, tool_uses=uses("t4")))
            found = await storage.activity("conversation-1")
            assert (await storage.activity("nobody")).turn_count == 0
        bash = ToolStatistics("Bash", 3, 1, 1, 10, 30)
        assert found == Activity(2, ToolStatistics("", 3, 1, 1, 10, 30), [bash], Times(2, 3, 1, 5))
