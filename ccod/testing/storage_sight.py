"""What a storage tells of some machines alone, and its log of who read what is not theirs."""

from __future__ import annotations

from ccod import (
    QUARTER_MS,
    ConversationQuery,
    EventQuery,
    FigureQuery,
    ProjectQuery,
    QuarantineQuery,
    Read,
    ReadQuery,
    SearchQuery,
    SessionQuery,
    Storage,
    StretchQuery,
)
from ccod.testing.asking import Clock, Storages, conversation, maintain, send
from ccod.testing.transcripts import Transcript, response, uses

AT = 1_799_999_000_000
EDGES = [AT // QUARTER_MS * QUARTER_MS, (AT // QUARTER_MS + 1) * QUARTER_MS]


def read(at: int, user: str = "user_1", conversation: str = "conversation-1") -> Read:
    address = f"{user}@example.com"
    return Read(at, user, address, "session_1", "192.0.2.1", "GET /x", conversation, "machine", "node")


async def told(storage: Storage, machines: frozenset[str] | None) -> list[object]:
    """Return all that is told of all conversations, as far as it is of these machines."""
    overview = await storage.overview(FigureQuery(EDGES, machines=machines))
    facts = await storage.facts(machines)
    return [
        (await storage.projects(ProjectQuery(machines=machines))).items,
        (await storage.conversations(ConversationQuery(machines=machines))).items,
        [*await storage.events(EventQuery(machines=machines))],
        (await storage.quarantine(QuarantineQuery(machines=machines))).items,
        (await storage.sessions(SessionQuery(EDGES[0], EDGES[1], machines=machines))).items,
        [*await storage.stretches(StretchQuery(machines=machines))],
        [*await storage.usage(FigureQuery(EDGES, machines=machines))],
        [*overview.spans],
        [*overview.projects],
        [*overview.tools],
        [*await storage.record_types(machines)],
        [*(await storage.figured(machines) or ())],
        [count for count in (facts.projects, facts.conversations, facts.messages) if count],
    ]


class SightContract:
    async def test_what_is_asked_of_some_machines_is_told_of_these_alone(
        self, storages: Storages, clock: Clock
    ) -> None:
        transcript = Transcript().add(uuid="a", at=AT, cwd="/w", session="s")
        transcript.add("assistant", uuid="b", at=AT + 1, response=response(), tool_uses=uses("t")).add_garbage()
        async with storages() as storage:
            await send(storage, transcript)
            await maintain(storage)
            machine = (await conversation(storage)).machine
            everything = await told(storage, None)
            assert all(everything)
            assert await told(storage, frozenset({machine, "another"})) == everything
            assert not any(await told(storage, frozenset({"another"})))
            assert not any(await told(storage, frozenset()))

    async def test_a_search_finds_what_is_of_some_machines(self, storages: Storages) -> None:
        async with storages() as storage:
            await send(storage, Transcript().add(uuid="a", at=AT))
            found = await storage.search(SearchQuery(["nothing"], machines=frozenset({"another"})))
            assert found.hits == []

    async def test_events_name_their_machine_also_when_all_else_is_gone(self, storages: Storages) -> None:
        async with storages() as storage:
            stored = await send(storage, Transcript().add(uuid="a", at=AT, cwd="/w"))
            found = await conversation(storage)
            forgotten = await storage.forget_conversation(found.id)
            gone = await storage.forget_project(str(found.project_id))
            assert forgotten is not None
            assert gone is not None
            told = [*stored.events, *forgotten.events, *gone.events]
            assert {event.machine for event in told} == {found.machine}
            kept = await storage.events(EventQuery(machines=frozenset({found.machine})))
            assert [event.kind for event in kept][-2:] == ["conversation_forgotten", "project_forgotten"]

    async def test_reads_are_kept_whatever_is_forgotten(self, storages: Storages) -> None:
        noted = [read(1), read(2, "user_2"), read(3, conversation="conversation-2")]
        async with storages() as storage:
            await send(storage, Transcript().add(uuid="a", at=AT))
            await storage.note_reads(noted[:2])
            await storage.note_reads(noted[2:])
            await storage.forget_conversation("conversation-1")
        async with storages() as storage:
            page = await storage.noted_reads(ReadQuery())
            assert (page.items, page.total, page.next) == (noted[::-1], 3, None)

    async def test_reads_are_found_by_who_what_and_when(self, storages: Storages) -> None:
        noted = [read(1), read(2, "user_2"), read(3, conversation="conversation-2"), read(4, "user_2")]
        async with storages() as storage:
            await storage.note_reads(noted)

            async def found(**query: object) -> list[int]:
                return [each.at for each in (await storage.noted_reads(ReadQuery(**query))).items]  # type: ignore[arg-type]

            assert await found(user="user_2") == await found(user="user_2@example.com") == [4, 2]
            assert await found(conversation_id="conversation-2") == [3]
            assert await found(since=2, until=3) == [3, 2]
            assert await found(user="nobody") == []
            first = await storage.noted_reads(ReadQuery(limit=3))
            assert first.next is not None
            assert [each.at for each in first.items] == [4, 3, 2]
            rest = await storage.noted_reads(ReadQuery(limit=3, after=first.next))
            assert ([each.at for each in rest.items], rest.total, rest.next) == ([1], 4, None)

    async def test_words_that_no_database_takes_do_not_keep_a_read_from_being_noted(self, storages: Storages) -> None:
        odd = read(1, conversation="half \ud800 and \0 nothing")
        async with storages() as storage:
            await storage.note_reads([odd])
            (found,) = (await storage.noted_reads(ReadQuery())).items
            assert found.conversation_id.startswith("half")
