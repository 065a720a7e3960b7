"""Several daemons write into one database: each tells all that is stored, once and in order, and none is misled."""

from __future__ import annotations

import pytest
import trio
from psycopg import Connection as PsycopgConnection
from psycopg import connect

from ccod import Event, EventQuery, Health, ProjectDraft, StorageUnavailableError, Title
from ccod.testing.asking import Clock, conversation, maintain, messages, projects, send
from ccod.testing.transcripts import MINUTE, Transcript, response
from ccod_sql.storage import TableStorage
from tests.plugins.postgres.conftest import NAME, OpenNode, opened
from tests.plugins.sql.feeding import PARSERS, feed, stream, transcript
from tests.plugins.sql.test_sql_reparse import BetterParser
from tests.postgres import Server

LISTENERS = "application_name = 'ccod' AND query LIKE 'LISTEN%'"


async def all_events(storage: TableStorage) -> list[Event]:
    found: list[Event] = []
    while more := await storage.events(EventQuery(after=found[-1].seq if found else 0, limit=1000)):
        found += more
    return found


async def test_each_daemon_tells_all_in_order(node: OpenNode) -> None:
    told: dict[str, list[Event]] = {"a": [], "b": [], "api": []}
    written = trio.Event()

    async def write(name: str, storage: TableStorage) -> None:
        transcripts = [Transcript(f"{name}-{number}") for number in range(3)]
        for at in range(1, 31):
            its_stored = await send(storage, transcripts[at % 3].add(uuid=f"{name}{at}", at=at, cwd="/w"))
            told[name] += its_stored.events

    async def listen(name: str, storage: TableStorage) -> None:
        while True:
            with trio.move_on_after(0.05):
                await storage.called()
            stored = await storage.maintain(Health())
            told[name] += stored.events if stored else ()
            if stored is None and written.is_set():
                return

    async with node("a", {}) as a, node("b", {}) as b, node("api", {}) as api:
        async with trio.open_nursery() as listeners:
            listeners.start_soon(listen, "api", api)
            async with trio.open_nursery() as writers:
                writers.start_soon(write, "a", a)
                writers.start_soon(write, "b", b)
            written.set()
        told["a"] += await maintain(a)
        told["b"] += await maintain(b)
        stored = await all_events(api)
        assert len(stored) == 2 + 2 * 3 + 2 * 30
        assert [event.seq for event in stored] == sorted({event.seq for event in stored})
        for name, events in told.items():
            assert events == stored, name


async def test_what_another_stored_is_heard_at_once(node: OpenNode, clock: Clock) -> None:
    async with node("a", {}) as a, node("b", {}) as b:
        before = b.revision
        stored = await send(a, Transcript().add(uuid="a", at=1, cwd="/w"))
        with trio.fail_after(10):
            await b.called()
        assert b.revision not in {before, None}
        assert b.revision == a.revision
        heard = await b.maintain(Health())
        assert heard is not None
        assert (heard.events, heard.conversations) == (stored.events, stored.conversations)
        assert (heard.projects, heard.file) == (stored.projects, stored.file)
        with trio.move_on_after(0.2) as patience:
            await b.called()
        assert patience.cancelled_caught


async def test_history_is_no_news_but_changes_what_others_read(node: OpenNode) -> None:
    async with node("a", {}) as a, node("b", {}) as b:
        await send(a, Transcript().add(uuid="a", at=1), history=True)
        with trio.fail_after(10):
            await b.called()
        heard = await b.maintain(Health())
        assert heard is not None
        assert (heard.events, heard.conversations) == ((), ["conversation-1"])


async def test_many_events_are_told_a_portion_at_a_time_and_ones_own_after_them(node: OpenNode) -> None:
    async with node("a", {}) as a, node("b", {}) as b:
        many = Transcript("many")
        for number in range(1200):
            many.add(uuid=str(number), at=number)
        await send(a, many)
        told = [*(await send(b, Transcript("own").add(uuid="own", at=1))).events]
        assert len(told) == 500
        told += await maintain(b)
        assert told == await all_events(b)
        assert told[-1].conversation_id == "own"


async def test_a_daemon_that_starts_tells_what_happens_from_then_on(node: OpenNode) -> None:
    async with node("a", {}) as a:
        await send(a, Transcript().add(uuid="a", at=1))
        async with node("b", {}) as b:
            assert await maintain(b) == []
            own = (await send(b, Transcript("own").add(uuid="own", at=1))).events
            assert {event.conversation_id for event in own} == {"own"}


async def test_who_hears_nothing_any_more_is_not_trusted_and_hears_again(node: OpenNode, server: Server) -> None:
    async with node("a", {}) as a, node("b", {}) as b:
        await send(a, Transcript().add(uuid="a", at=1))
        await b.called()
        await maintain(b)
        assert b.revision is not None
        server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {LISTENERS}")
        with trio.fail_after(10):
            await b.called()
        assert b.revision is None
        stored = await send(a, Transcript("second").add(uuid="b", at=1))
        assert await maintain(b) == stored.events
        assert b.revision == (await maintain(a), a.revision)[1]
        await send(a, Transcript("third").add(uuid="c", at=1))
        with trio.fail_after(10):
            await b.called()
        assert [event.conversation_id for event in await maintain(b)] == ["third", "third"]


async def test_a_name_is_given_whichever_daemon_heard_of_it(node: OpenNode) -> None:
    async with node("a", {}) as a, node("b", {}) as b:
        await send(b, Transcript("other").add(uuid="other", at=1))
        await send(a, Transcript("early").add("summary", title=Title("A garden", 20, "g1")))
        await send(b, Transcript("garden").add(uuid="g1", at=1))
        assert (await conversation(a, "garden")).title == "A garden"


async def test_upkeep_is_one_daemons_until_it_goes(node: OpenNode, clock: Clock) -> None:
    async with node("b", {}) as b:
        async with node("a", {}) as a:
            await send(b, Transcript().add(uuid="a", at=clock.now))
            assert await maintain(a) != []  # what b stored; and a keeps from now on
            clock.now += 6 * MINUTE
            assert await maintain(b) == []
            ended = await maintain(a)
            assert [event.kind for event in ended] == ["conversation_state_changed", "conversation_ended"]
            assert await maintain(b) == ended
        await send(b, Transcript().add(uuid="a", at=clock.now).add(uuid="b", at=clock.now))
        clock.now += 6 * MINUTE
        assert [event.kind for event in await maintain(b)] == ["conversation_state_changed", "conversation_ended"]


async def test_who_keeps_derives_again_what_another_was_asked_for(node: OpenNode) -> None:
    async with node("a") as a, node("b") as b:
        await feed(a, stream(), transcript(30))
        await maintain(a)
        await maintain(b)
        assert await b.reparse() == 1
        assert await b.maintain(Health()) is None
        health = Health()
        stored = await a.maintain(health)
        assert stored is not None
        assert health.tasks["reparse"].done == 1


async def test_a_conversation_of_another_machine_stays_in_its_project(node: OpenNode) -> None:
    async with node("laptop") as laptop:
        await feed(laptop, stream(), transcript(30))
        before = [(project.id, project.machine) for project in await projects(laptop)]
    assert before[0][1] == "laptop"
    async with node("server", {"claude": BetterParser()}) as server_:
        await maintain(server_)
        assert [(project.id, project.machine) for project in await projects(server_)] == before


@pytest.mark.parametrize("machines", [("a", "b"), ("a", "a")], ids=["two machines", "one"])
async def test_what_two_daemons_read_counts_once(node: OpenNode, machines: tuple[str, str]) -> None:
    """Which a folder that two machines share brings about, or two daemons with one source."""
    told: list[Event] = []

    async def write(storage: TableStorage) -> None:
        copy = Transcript()
        for at in range(1, 21):
            copy.add("assistant", uuid=str(at), at=at, cwd="/w", response=response(f"m{at}", request=f"r{at}"))
            told.extend((await send(storage, copy)).events)

    async with node(machines[0], {}) as first, node(machines[1], {}) as second:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write, first)
            nursery.start_soon(write, second)
        assert [message.id for message in await messages(first)] == [str(at) for at in range(1, 21)]
        shown = await conversation(first)
        assert (shown.message_count, shown.response_count) == (20, 20)
        used = (await first.total_usage("conversation-1"))["large"]
        assert used.usage.output_tokens == 200
        events = await all_events(first)
        assert [event.kind for event in events].count("message_added") == 20
        assert len(await first.checkpoints("tests")) == 1


async def test_who_waits_too_long_for_a_turn_is_told(node: OpenNode, server: Server) -> None:
    async with node("a", {}) as a:
        with a._database.writer.begin() as connection:
            connection.exec_driver_sql("SET lock_timeout = 100")
        with hung(server) as holder:
            with pytest.raises(StorageUnavailableError, match="wait until it is done") as refused:
                await send(a, Transcript().add(uuid="a", at=1))
            assert refused.value.code == "STORAGE_LOCKED"
            holder.rollback()
            await send(a, Transcript().add(uuid="a", at=1))
        assert len(await messages(a)) == 1


def hung(server: Server) -> PsycopgConnection[tuple[object, ...]]:
    from ccod_sql.postgres.turns import TAKE_TURN

    connection = connect(server.url(NAME))
    connection.execute(TAKE_TURN)
    return connection


async def test_many_daemons_open_a_new_database_at_once(
    server: Server, clock: Clock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = server.url(server.fresh())
    epochs: set[str] = set()

    async def begin(number: int) -> None:
        async with opened(url, tmp_path_factory.mktemp("node"), clock, PARSERS, f"machine{number}") as storage:
            epochs.add((await storage.position()).epoch)

    async with trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(begin, number)
    assert len(epochs) == 1


async def test_a_person_hears_of_their_own_project_though_others_have_news(node: OpenNode) -> None:
    async with node("a", {}) as a, node("b", {}) as b:
        await send(a, Transcript().add(uuid="a", at=1, cwd="/w"))
        made = await b.create_project(ProjectDraft("/own"))
        assert made is not None
        shown = await b.project(made.projects[0])
        assert shown is not None
        assert shown.path == "/own"
        assert {event.kind for event in made.events} >= {"project_discovered", "message_added"}
        assert await b.create_project(ProjectDraft("/own")) is None
