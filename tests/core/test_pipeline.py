"""A batch is parsed, stored and published in this order; live ones first; no storage error loses one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
import structlog.testing
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ccod import vitals
from ccod.bus import Bus
from ccod.errors import PluginError, StorageUnavailableError
from ccod.events import Stored
from ccod.health import Health, Reason, ServiceHealth
from ccod.metrics import Metrics
from ccod.model import Batch, Checkpoint, Content, Entry, Record, Stream, Unparsed
from ccod.pipeline import (
    AT_ONCE,
    MOST_BYTES,
    MOST_WAITING,
    PASSED_OVER_SECONDS,
    UPKEEP_BESIDE_HISTORY_SECONDS,
    UPKEEP_SECONDS,
    FloodError,
    Pipeline,
    SourceIntake,
    Turn,
)
from ccod.testing.shelf import Shelf as EmptyShelf
from tests.plugins.metrics.scraping import read

STREAM = Stream("s", "lines", "/a/s.jsonl", "c")


class Lines:
    """A parser: a record is an entry, `!` is unreadable, `?` is mended."""

    format = "lines"
    version = "1"

    def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:
        if record.body == b"!\n":
            yield Unparsed(record.offset, len(record.body), "no line")
        else:
            said = record.body.decode().strip()
            yield Entry(record.offset, len(record.body), said, mended="a question" if said == "?" else "")

    def content(self, body: bytes) -> Content:
        return Content(body.decode())


class Shelf(EmptyShelf):
    """A storage in memory. It refuses as often as `refusals` says, and takes nothing while `gate` is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[str, list[Entry | Unparsed]]] = []
        self.refusals: list[Exception] = []
        self.maintained = 0
        self.always_something = False
        self.calls = trio.Event()
        self.gate = trio.Event()
        self.gate.set()

    async def checkpoints(self, source: str) -> Sequence[tuple[Stream, Checkpoint]]:
        return [(STREAM, Checkpoint(7))]

    async def append(self, source: str, batch: Batch, entries: Sequence[Entry | Unparsed]) -> Stored:
        await self.gate.wait()
        if self.refusals:
            raise self.refusals.pop()
        self.taken.append((source, list(entries)))
        return Stored(conversations=[entry.type for entry in entries if isinstance(entry, Entry)])

    async def maintain(self, health: Health) -> Stored | None:
        self.maintained += 1
        if self.always_something:
            return Stored()
        if self.maintained == 2:
            raise StorageUnavailableError("locked")
        return Stored(conversations=["older"]) if self.maintained == 1 else None

    async def called(self) -> None:
        await self.calls.wait()


class House:
    def __init__(self) -> None:
        self.storage, self.bus, self.health = Shelf(), Bus(), Health()
        self.pipeline = Pipeline({"lines": Lines()}, self.storage, self.bus, self.health)
        self.intake: SourceIntake = self.pipeline.intake("src")

    @property
    def waiting(self) -> int:
        return self.pipeline.turn.waiting_live + self.pipeline.turn.waiting_history

    async def until_waiting(self, count: int) -> None:
        """Wait until one batch is being stored and `count` others wait for their turn."""
        while not self.storage.gate.statistics().tasks_waiting or self.waiting < count:
            await trio.sleep(0.001)


def batch(*lines: str, history: bool = False) -> Batch:
    records = [Record(10 * number, f"{line}\n".encode()) for number, line in enumerate(lines)]
    return Batch(STREAM, records, Checkpoint(10 * len(lines)), history=history)


async def test_a_batch_is_stored_and_then_published() -> None:
    house = House()
    with house.bus.subscribe() as heard:
        await house.intake.send(batch("a", "b"))
        assert house.storage.taken == [("src", [Entry(0, 2, "a"), Entry(10, 2, "b")])]
        async for stored in heard:
            assert stored.conversations == ["a", "b"]
            break
    assert house.health.counters == {"entries": 2}
    assert await house.intake.checkpoints() == [(STREAM, Checkpoint(7))]


async def test_unreadable_records_are_counted_and_the_rest_is_stored() -> None:
    house = House()
    await house.intake.send(batch("a", "!", "b"))
    assert house.health.counters == {"entries": 2, "unparsed": 1}
    assert len(house.storage.taken[0][1]) == 3


async def test_what_is_unreadable_or_mended_is_counted_and_named_once() -> None:
    house = House()
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            await house.intake.send(batch("a", "?", "!", "?"))
    assert house.health.counters == {"entries": 6, "unparsed": 2, "mended": 4}
    place = {"file": STREAM.path, "log_level": "warning"}
    assert logs == [
        {"event": "unreadable record", "offset": 20, "reason": "no line", **place},
        {"event": "record mended", "offset": 10, "reason": "a question", **place},
    ]


async def test_pieces_of_an_endless_line_are_named_once_and_never_parsed() -> None:
    house = House()
    pieces = [Record(0, b"{" * 10, piece=1), Record(10, b"{" * 10, piece=2), Record(20, b"a\n")]
    await house.intake.send(Batch(STREAM, pieces, Checkpoint(22)))
    assert house.storage.taken == [("src", [Unparsed(0, 10, "line too long"), Entry(20, 2, "a")])]


async def test_live_batches_overtake_history_that_waits() -> None:
    house = House()
    house.storage.gate = trio.Event()
    async with trio.open_nursery() as nursery:
        for waiting, (line, history) in enumerate([("h1", True), ("h2", True), ("h3", True), ("live", False)]):
            nursery.start_soon(house.intake.send, batch(line, history=history))
            await house.until_waiting(waiting)
        house.storage.gate.set()
    order = [entry.type for _, entries in house.storage.taken for entry in entries if isinstance(entry, Entry)]
    assert order == ["h1", "live", "h2", "h3"]


async def test_live_batches_without_end_let_what_can_wait_pass_once_a_while(mock_clock: MockClock) -> None:
    turn, order = Turn(), list[str]()

    async def take(kind: str, turns: int) -> None:
        for _ in range(turns):
            async with turn.take(history=kind != "live"):
                order.append(kind)
                await trio.sleep(PASSED_OVER_SECONDS / 4)

    async with trio.open_nursery() as nursery:
        for kind, turns in [("live", 7), ("live", 7), ("history", 2), ("upkeep", 1)]:
            nursery.start_soon(take, kind, turns)
            await wait_all_tasks_blocked()
        for _ in range(14 + 3):
            mock_clock.jump(PASSED_OVER_SECONDS / 4)
            await wait_all_tasks_blocked()
    others = [number for number, kind in enumerate(order) if kind != "live"]
    assert [order[number] for number in others] == ["history", "upkeep", "history"]
    assert others == [4, 8, 12]


async def test_an_unavailable_storage_is_tried_again_until_it_takes_the_batch(autojump_clock: MockClock) -> None:
    house = House()
    house.storage.refusals = [StorageUnavailableError("disk full") for _ in range(9)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.intake.send, batch("a"))
        while house.health.services.get("storage") != ServiceHealth("degraded", "disk full"):
            await trio.sleep(0.01)
    assert len(house.storage.taken) == 1
    assert house.health.well


async def test_a_refusal_is_told_with_its_reason_once_and_its_end(autojump_clock: MockClock) -> None:
    house = House()
    house.storage.refusals = [StorageUnavailableError("disk full", "DISK_FULL", "make room") for _ in range(5)]
    with structlog.testing.capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.intake.send, batch("a"))
            while not house.health.reasons:
                await trio.sleep(0.01)
            assert house.health.reasons == [("storage", Reason("DISK_FULL", "disk full", "make room"))]
            assert not house.health.ready
    assert house.health.reasons == []
    assert [entry["event"] for entry in logs] == [
        "storage is unavailable, it is tried again",
        "storage is available again",
    ]


async def test_who_asks_for_a_change_hears_at_once_that_storage_is_unavailable(autojump_clock: MockClock) -> None:
    """The batch that is tried again holds nobody up."""
    house = House()
    house.storage.refusals = [StorageUnavailableError("disk full")] * 1000
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.intake.send, batch("a"))
        await trio.sleep(60)

        async def forget() -> Stored:
            raise StorageUnavailableError("disk full")

        with pytest.raises(StorageUnavailableError), trio.fail_after(3):
            await house.pipeline.change(forget)
        nursery.cancel_scope.cancel()
    assert house.health.well, "nobody waits for the storage any more"


async def test_upkeep_that_fails_makes_degraded_until_it_goes_well(autojump_clock: MockClock) -> None:
    house = House()
    async with trio.open_nursery() as nursery:
        await nursery.start(house.pipeline.maintain)
        seen = []
        for _ in range(30):
            seen.append(house.health.well)
            await trio.sleep(UPKEEP_SECONDS[1] / 5)
        nursery.cancel_scope.cancel()
    assert False in seen
    assert house.health.well


async def test_what_a_source_says_is_its_health() -> None:
    house = House()
    house.health.set("source src", "running")
    reason = Reason("WATCH_LIMIT", "2 folders are not watched", "raise the limit")
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            house.intake.tell([reason])
        assert house.health.services["source src"] == ServiceHealth("degraded", reason.text)
        assert (house.health.well, house.health.ready) == (False, True)
        house.intake.tell([])
    assert house.health.well
    assert [entry["event"] for entry in logs] == ["records may be late or missing", "records come in time again"]


async def test_entries_that_storage_chokes_on_are_set_aside_and_their_bytes_kept() -> None:
    house = House()
    house.storage.refusals = [OverflowError("too big")]
    await house.intake.send(batch("a", "b"))
    reason = "not stored: OverflowError"
    assert house.storage.taken == [("src", [Unparsed(0, 2, reason), Unparsed(10, 2, reason)])]
    assert house.health.counters == {"refused": 2, "entries": 0, "unparsed": 2}


async def test_any_other_error_ends_the_pipeline() -> None:
    house = House()
    house.storage.refusals = [ValueError("broken"), ValueError("broken")]
    with pytest.raises(ExceptionGroup) as caught:
        async with trio.open_nursery() as nursery:
            await nursery.start(house.pipeline.run)
            nursery.start_soon(house.intake.send, batch("a"))
            nursery.start_soon(house.intake.send, batch("b"))
    assert caught.group_contains(ValueError, match="broken")
    assert house.storage.taken == []


async def test_a_batch_that_storage_began_is_published_even_when_its_source_is_cancelled() -> None:
    house = House()
    house.storage.gate = trio.Event()
    with house.bus.subscribe() as heard:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.intake.send, batch("a"))
            await house.until_waiting(0)
            nursery.cancel_scope.cancel()
            house.storage.gate.set()
        async for stored in heard:
            assert stored.conversations == ["a"]
            break


async def test_maintenance_is_published_and_goes_on_after_a_refusal(autojump_clock: MockClock) -> None:
    house = House()
    with house.bus.subscribe() as heard:
        async with trio.open_nursery() as nursery:
            await nursery.start(house.pipeline.maintain)
            async for stored in heard:
                assert stored.conversations == ["older"]
                break
            await trio.sleep(3 * UPKEEP_SECONDS[1])
            assert house.storage.maintained >= 3
            nursery.cancel_scope.cancel()


async def test_maintenance_is_rare_while_history_is_read(mock_clock: MockClock) -> None:
    house = House()
    house.storage.always_something = True

    async def steps_within(seconds: float) -> int:
        before = house.storage.maintained
        mock_clock.jump(seconds)
        await wait_all_tasks_blocked()
        return house.storage.maintained - before

    async with trio.open_nursery() as nursery:
        await nursery.start(house.pipeline.maintain)
        await wait_all_tasks_blocked()
        await house.intake.send(batch("live"))
        assert await steps_within(UPKEEP_SECONDS[0]) == 1
        await house.intake.send(batch("old", history=True))
        assert await steps_within(UPKEEP_SECONDS[0]) == 1
        assert await steps_within(UPKEEP_BESIDE_HISTORY_SECONDS * 0.9) == 0
        assert await steps_within(UPKEEP_BESIDE_HISTORY_SECONDS * 0.1) == 1
        assert await steps_within(UPKEEP_SECONDS[0]) == 1
        nursery.cancel_scope.cancel()


async def test_a_storage_that_calls_is_maintained_at_once_and_not_too_often(mock_clock: MockClock) -> None:
    house = House()
    async with trio.open_nursery() as nursery:
        await nursery.start(house.pipeline.maintain)
        for _ in range(3):
            await wait_all_tasks_blocked()
            mock_clock.jump(UPKEEP_SECONDS[1])
        await wait_all_tasks_blocked()
        before = house.storage.maintained
        mock_clock.jump(UPKEEP_SECONDS[0])
        await wait_all_tasks_blocked()
        assert house.storage.maintained == before
        house.storage.calls.set()
        await wait_all_tasks_blocked()
        assert house.storage.maintained == before + 1
        mock_clock.jump(0.9 * UPKEEP_SECONDS[0])
        await wait_all_tasks_blocked()
        assert house.storage.maintained == before + 1
        nursery.cancel_scope.cancel()


async def test_live_lines_go_before_maintenance() -> None:
    house = House()
    house.storage.gate = trio.Event()
    said: list[str] = []
    with house.bus.subscribe() as heard:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.intake.send, batch("a"))
            await house.until_waiting(0)
            nursery.start_soon(house.pipeline.change, lambda: house.storage.maintain(house.health))
            await house.until_waiting(1)
            nursery.start_soon(house.intake.send, batch("b"))
            await house.until_waiting(2)
            house.storage.gate.set()
        async for stored in heard:
            said += stored.conversations
            if len(said) == 3:
                break
    assert said == ["a", "b", "older"]


async def test_a_storage_that_answers_is_not_silent_even_if_it_refuses(autojump_clock: MockClock) -> None:
    house = House()
    async with trio.open_nursery() as nursery:
        await nursery.start(house.pipeline.maintain)
        for _ in range(10):
            await trio.sleep(UPKEEP_SECONDS[1])
            assert house.pipeline.silence <= UPKEEP_SECONDS[1]
        nursery.cancel_scope.cancel()
    house.storage.refusals = [StorageUnavailableError("disk full")] * 100
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.intake.send, batch("a"))
        while not house.health.reasons:
            await trio.lowlevel.checkpoint()  # the clock stands still while a task runs
        for _ in range(60):
            await trio.sleep(1)
            assert house.pipeline.silence <= 5
        nursery.cancel_scope.cancel()


async def test_a_storage_that_never_answers_falls_silent(autojump_clock: MockClock) -> None:
    house = House()
    house.storage.gate = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.intake.send, batch("a"))
        await house.until_waiting(0)
        await nursery.start(house.pipeline.maintain)  # waits for its turn
        await trio.sleep(1000)
        assert house.pipeline.silence >= 1000
        house.storage.gate.set()
        await trio.sleep(1)
        assert house.pipeline.silence <= 1
        nursery.cancel_scope.cancel()


async def test_what_waits_and_what_came_is_measured(autojump_clock: MockClock) -> None:
    house, metrics = House(), Metrics()
    pipeline = Pipeline({"lines": Lines()}, house.storage, house.bus, house.health, metrics)
    vitals.show(metrics, house.health, house.bus, pipeline.turn)
    intake = pipeline.intake("src")
    house.storage.gate = trio.Event()
    with house.bus.subscribe():
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(intake.send, batch("a", "!"))
            for _ in range(2):
                nursery.start_soon(intake.send, batch("b", history=True))
            while pipeline.turn.waiting_live + pipeline.turn.waiting_history < 4:
                await trio.sleep(0.001)
            waiting = read(metrics)
            house.storage.gate.set()
        intake.progress(1, 4)
        house.health.set("source x", "restarting")
        found = read(metrics)
    assert waiting.sum("ccod_pipeline_waiting") == 4
    assert waiting.sum("ccod_backfill_ratio") == 1
    assert found.sum("ccod_pipeline_waiting") == 0
    assert found.sum("ccod_bus_backlog") == 5
    assert found.sum("ccod_bus_subscribers") == 1
    assert found.sum("ccod_backfill_ratio") == 0.25
    assert found.sum("ccod_services_unwell") == 1
    assert found.sum("ccod_ingest_entries_total", source="src") == 5
    assert found.sum("ccod_parse_errors_total", parser="lines", reason="no line") == 3
    assert read(metrics).sum("ccod_bus_subscribers") == 0


async def test_a_source_of_others_that_floods_is_told(autojump_clock: MockClock) -> None:
    house = House()
    intake = house.pipeline.intake("src", "oddity")
    house.storage.gate = trio.Event()
    async with trio.open_nursery() as nursery:
        for _ in range(AT_ONCE + MOST_WAITING):
            nursery.start_soon(intake.send, batch("x"))
        await wait_all_tasks_blocked()
        with pytest.raises(FloodError, match="wait to be stored"):
            await intake.send(batch("x"))
        house.storage.gate.set()
    with pytest.raises(FloodError, match="bytes"):
        await intake.send(batch("x" * (MOST_BYTES + 1)))


async def test_a_parser_whose_entries_storage_refuses_is_named() -> None:
    house, told = House(), list[tuple[str, str]]()
    house.storage.refusals = [ValueError("no such time")]
    parsers = {"lines": Lines()}
    pipeline = Pipeline(parsers, house.storage, house.bus, house.health, fault=lambda *said: told.append(said))
    await pipeline.intake("src").send(batch("one"))
    assert told == [("lines", "storage refused what it understood: ValueError: no such time")]


async def test_a_storage_of_others_that_fails_is_tried_again_and_named(autojump_clock: MockClock) -> None:
    house = House()
    house.storage.refusals = [PluginError("oddity", "storage, append: RuntimeError") for _ in range(4)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.intake.send, batch("one"))
        while not house.health.reasons:
            await trio.sleep(0.01)
        (reason,) = [reason for service, reason in house.health.reasons if service == "storage"]
        assert reason.code == "STORAGE_FAILED"
        assert "oddity" in reason.text
    assert [len(entries) for _, entries in house.storage.taken] == [1]
    assert house.health.well


async def test_a_storage_that_refuses_two_is_available_again_once_it_refuses_none(autojump_clock: MockClock) -> None:
    house = House()
    house.storage.refusals = [StorageUnavailableError("full") for _ in range(10_000)]
    with structlog.testing.capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            for source in ("src", "other"):
                nursery.start_soon(house.pipeline.intake(source).send, batch("a"))
            while sum(each["log_level"] == "warning" for each in logs) < 2:
                await trio.sleep(1)
            house.storage.refusals.clear()
    refused = "storage is unavailable, it is tried again"
    assert [each["event"] for each in logs if "storage" in each["event"]] == [
        refused,
        refused,
        "storage is available again",
    ]
    assert house.health.well


async def test_what_a_source_of_others_sends_and_no_storage_takes_fails_that_source_alone() -> None:
    house = House()
    house.storage.refusals = [ValueError("broken"), ValueError("broken")]
    with pytest.raises(ValueError, match="broken"):
        await house.pipeline.intake("src", "oddity").send(batch("a"))
    await house.intake.send(batch("b"))
    assert house.storage.taken == [("src", [Entry(0, 2, "b")])]


async def test_a_batch_without_entries_cannot_be_set_aside() -> None:
    house = House()
    house.storage.refusals = [ValueError("broken")]
    with pytest.raises(ValueError, match="broken"):
        await house.pipeline.intake("src", "oddity").send(batch())
