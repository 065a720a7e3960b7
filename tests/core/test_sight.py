"""What a user sees of a storage, and what of that is noted."""

from __future__ import annotations

import pytest

from ccod import (
    Conversation,
    ConversationQuery,
    Look,
    Message,
    MessageQuery,
    NoMachinesError,
    Project,
    ProjectDraft,
    ProjectEdit,
    ProjectQuery,
    SearchQuery,
    Storage,
    StorageUnavailableError,
    StoredStream,
    UnseenError,
    User,
    sighted,
)
from ccod.sight import GUARDS, OPEN
from ccod.standin import OPERATIONS
from ccod.testing.shelf import Shelf

ALL = frozenset({"a", "b"})


class Archive(Shelf):
    """A shelf with a conversation of each of two machines, and a stream of each."""

    def __init__(self) -> None:
        super().__init__()
        for number, machine in enumerate("ab"):
            key = f"of-{machine}"
            conversation = Conversation(key, f"p-{machine}", "p", "t", "active", 1, 1, "/f", machine)
            self.all_conversations.append(conversation)
            self.all_projects.append(Project(f"p-{machine}", "p", "/p", machine, 1, 1))
            self.all_messages.append(Message(f"m-{machine}", key, number, "user", 1, "plain", b"x"))

    async def streams(self, conversation_id: str) -> list[StoredStream]:
        number = "ab".index(conversation_id[-1])
        return [StoredStream(number, conversation_id, "k", "plain", "/f", None, 1, 1)]

    async def bytes_of(self, stream_id: int, start: int) -> bytes:
        return b"x"


def seen(archive: Archive, machines: frozenset[str] | None, own: frozenset[str] | None) -> tuple[Storage, Look]:
    look = Look(User("u", "u@example.com", "user", machines=machines, own=own), "192.0.2.1", "GET /x", "a")
    return sighted(archive, "a", lambda: look), look


def test_every_method_of_the_role_is_open_or_guarded() -> None:
    assert not OPERATIONS - OPEN - GUARDS.keys()
    assert not OPEN & GUARDS.keys()


async def test_lists_are_of_what_is_seen() -> None:
    storage, _ = seen(Archive(), frozenset("a"), frozenset("a"))
    assert [each.id for each in (await storage.conversations(ConversationQuery())).items] == ["of-a"]
    assert [each.id for each in (await storage.projects(ProjectQuery(machines=ALL))).items] == ["p-a"]
    assert [each.id for each in await storage.conversations_by_id(["of-a", "of-b"])] == ["of-a"]
    assert await storage.project("p-b") is None


async def test_what_is_not_seen_is_not_there() -> None:
    storage, _ = seen(Archive(), frozenset("a"), frozenset("a"))
    said = set()
    for key in ("of-b", "nobody"):
        with pytest.raises(UnseenError) as caught:
            await storage.messages(key, MessageQuery())
        said.add(str(caught.value))
    for key in ("p-b", "nobody"):
        with pytest.raises(UnseenError) as caught:
            await storage.edit_project(key, ProjectEdit("x"))
        said.add(str(caught.value))
    assert said == {"There is no such conversation.", "There is no such project."}
    with pytest.raises(UnseenError):
        await storage.forget_conversation("of-b")
    assert (await storage.messages("of-a", MessageQuery())).total == 1


async def test_bytes_are_of_streams_that_were_shown() -> None:
    storage, _ = seen(Archive(), frozenset("b"), frozenset("b"))
    (stream,) = await storage.streams("of-b")
    assert await storage.bytes_of(stream.id, 0) == b"x"
    with pytest.raises(UnseenError):
        await storage.bytes_of(0, 0)


async def test_who_has_no_machine_is_told_whom_to_ask() -> None:
    storage, _ = seen(Archive(), frozenset(), frozenset())
    with pytest.raises(NoMachinesError, match="ccod user machines"):
        await storage.conversations(ConversationQuery())


async def test_a_project_is_made_where_one_sees() -> None:
    storage, _ = seen(Archive(), frozenset("b"), frozenset("b"))
    with pytest.raises(UnseenError):
        await storage.create_project(ProjectDraft("/x"))
    assert await storage.checkpoints("claude") == []


async def test_what_nobody_knows_is_refused_to_who_does_not_see_all() -> None:
    storage, _ = seen(Archive(), frozenset("a"), frozenset("a"))
    with pytest.raises(UnseenError):
        await storage.reparse()


async def test_reading_what_is_anothers_is_noted_once_and_before() -> None:
    archive = Archive()
    storage, look = seen(archive, None, frozenset("a"))
    await storage.messages("of-a", MessageQuery())
    await storage.conversations_by_id(["of-b"])
    assert archive.all_reads == []
    for _ in range(2):
        await storage.messages("of-b", MessageQuery())
    await storage.streams("of-b")
    (noted,) = archive.all_reads
    assert (noted.user_id, noted.email, noted.address) == ("u", "u@example.com", "192.0.2.1")
    assert (noted.route, noted.conversation_id, noted.machine, noted.served_by) == ("GET /x", "of-b", "b", "a")
    assert not look.lacks("of-b", "b")


async def test_where_nobody_owns_anything_nothing_is_noted() -> None:
    """So it is with an auth plugin that knows of no machines."""
    archive = Archive()
    storage, _ = seen(archive, ALL, None)
    assert (await storage.messages("of-b", MessageQuery())).total == 1
    assert (await storage.search(SearchQuery(["x"]))).hits == []
    assert archive.all_reads == []


async def test_what_cannot_be_noted_is_not_shown() -> None:
    class Full(Archive):
        async def note_reads(self, reads: object) -> None:
            raise StorageUnavailableError("the disk is full")

    archive = Full()
    storage, look = seen(archive, None, frozenset("a"))
    with pytest.raises(StorageUnavailableError):
        await storage.messages("of-b", MessageQuery())
    assert look.lacks("of-b", "b")
    assert (await storage.messages("of-a", MessageQuery())).total == 1


async def test_where_nobody_looks_all_is_seen() -> None:
    archive = Archive()
    storage = sighted(archive, "a", lambda: None)
    assert (await storage.conversations(ConversationQuery())).total == 2
    assert (await storage.messages("of-b", MessageQuery())).total == 1
    assert archive.all_reads == []
