"""What a plugin can be. A hook hands one of these back; the daemon runs it.

Methods named `run` follow trio's protocol: call `task_status.started()` once ready, work until cancelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from ccod.model import (
    Batch,
    Checkpoint,
    Content,
    Conversation,
    ConversationQuery,
    Entry,
    Message,
    MessageQuery,
    Page,
    Peer,
    Project,
    ProjectQuery,
    Record,
    Stored,
    Stream,
    Unparsed,
    User,
)

if TYPE_CHECKING:
    import trio


class Intake(Protocol):
    """The one door through which a source's records come in."""

    async def checkpoints(self) -> Sequence[tuple[Stream, Checkpoint]]:
        """Return every stream of this source that was ever stored, and where each was left."""

    async def send(self, batch: Batch) -> None:
        """Store a batch; returns when it is stored, so the next batch of that stream is read after it.

        A batch of live records overtakes the batches of history that wait. While storage is away this waits.
        """

    def progress(self, done: int, total: int) -> None:
        """Tell how much of the backfill is done, in bytes."""


class Source(Protocol):
    """Finds records. It may raise: it is restarted, with growing pauses, and resumes at its checkpoints."""

    name: str

    async def run(self, intake: Intake, *, task_status: trio.TaskStatus[None]) -> None:
        """Send batches until cancelled. Call `task_status.started()` once you are watching, before any backfill."""


class Parser(Protocol):
    """Understands the records of one format. Pure: no I/O, no clock, no state; it never raises for bad bytes."""

    format: str

    def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:
        """Return what stands in `record`: nothing for a blank line, several entries where records share a line."""

    def content(self, body: bytes) -> Content:
        """Return what the message in `body` says. `body` is the bytes of one entry with a role."""


class Storage(AbstractAsyncContextManager["Storage"], Protocol):
    """Keeps everything. Entered before anything runs; left after everything has stopped."""

    async def checkpoints(self, source: str) -> Sequence[tuple[Stream, Checkpoint]]:
        """Return every stream of `source` with its latest description, and where it was left."""

    async def append(self, source: str, batch: Batch, entries: Sequence[Entry | Unparsed]) -> Stored:
        """Store the batch's bytes, its entries and its checkpoint in ONE transaction; return what was new.

        Storing a batch twice changes nothing the second time. Raises StorageUnavailableError when it cannot write
        now; nothing of the batch is stored then, and the caller may try again.
        """

    async def projects(self, query: ProjectQuery) -> Page[Project]:
        """Return projects in the order that `query` asks for."""

    async def project(self, project_id: str) -> Project | None:
        """Return one project, or None."""

    async def conversations(self, query: ConversationQuery) -> Page[Conversation]:
        """Return the conversations that `query` asks for, in its order."""

    async def conversations_by_id(self, ids: Sequence[str]) -> Sequence[Conversation]:
        """Return those of `ids` that exist, in any order."""

    async def messages(self, conversation_id: str, query: MessageQuery) -> Page[Message]:
        """Return messages by time, then by their order in the transcript."""


class Auth(AbstractAsyncContextManager["Auth"], Protocol):
    """Says who is asking."""

    async def identify(self, peer: Peer) -> User | None:
        """Return who `peer` is, or None for a stranger. A token that is presented but not valid makes a stranger."""


class Transport(Protocol):
    """Carries what is stored out of the house."""

    name: str

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Serve until `observatory.stopping` is set, then tell your clients and return.

        Call `task_status.started()` once you can be reached.
        """
