"""What a plugin can be. A hook hands one of these back; the daemon runs it.

Methods named `run` follow trio's protocol: call `task_status.started()` once ready, work until cancelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ccod.events import Event, Position, Stored
from ccod.figures import FigureQuery, Overview, SessionQuery, SessionUsage, SpanUsage
from ccod.health import Health, Reason
from ccod.model import Batch, Checkpoint, Content, Cost, Entry, Record, Response, Stream, Unparsed
from ccod.queries import (
    ConversationQuery,
    EntryQuery,
    EventQuery,
    MessageQuery,
    ProjectDraft,
    ProjectEdit,
    ProjectQuery,
    QuarantineQuery,
    ReadQuery,
    SearchQuery,
    StretchQuery,
    ToolCallQuery,
)
from ccod.stored import (
    Activity,
    CalledTool,
    Conversation,
    Found,
    Message,
    Node,
    Page,
    Project,
    Quarantined,
    Read,
    RecordType,
    ResponseRecord,
    StorageFacts,
    StoredEntry,
    StoredStream,
    Stretch,
    Subagent,
    Totals,
    Vacuumed,
)
from ccod.users import Peer, User

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

    def tell(self, reasons: Sequence[Reason]) -> None:
        """Tell all for which records may be late or missing at the moment; nothing once all is well again."""


class Source(Protocol):
    """Finds records. It may raise: it is restarted, with growing pauses, and resumes at its checkpoints.

    `roots` are the folders that it reads. Nothing of ccod ever writes below them.
    """

    name: str

    @property
    def roots(self) -> Sequence[str]: ...

    async def run(self, intake: Intake, *, task_status: trio.TaskStatus[None]) -> None:
        """Send batches until cancelled. Call `task_status.started()` once you are watching, before any backfill."""


class Parser(Protocol):
    """Understands the records of one format. Pure: no I/O, no clock, no state; it never raises for bad bytes.

    A parser that understands records in another way than the last has another `version`, such as "2" or "2.1":
    what that one understood is then derived again from the archive.
    """

    format: str
    version: str

    def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:
        """Return what stands in `record`: nothing for a blank line, several entries where records share a line."""

    def content(self, body: bytes) -> Content:
        """Return what the message in `body` says. `body` is the bytes of one entry with a role."""


class Storage(AbstractAsyncContextManager["Storage"], Protocol):
    """Keeps everything. Entered before anything runs; left after everything has stopped.

    `folder` is where other plugins may put files of their own once it is entered, such as keys. `is_shared` says that
    daemons of several machines may keep everything in one place: not all of it is for everybody then, and what a plugin
    has `kept` may change without its doing.

    `machines` narrows what is asked for to what is of these machines; None narrows nothing.
    """

    @property
    def is_shared(self) -> bool:
        return False

    @property
    def folder(self) -> Path: ...

    @property
    def revision(self) -> int | None:
        """Name the state of all that can be read: while it is the same, every answer is. None while that changes.

        It is asked for without waiting, before something is read; a storage that is opened again may begin anew.
        """

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

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """Return stored events by their number: as many as `query` allows, fewer where their messages are large.

        None are returned only where there are no more. A message reads as it does now; where a better parser finds no
        message in its entry, its event is left out.
        """

    async def position(self, before: int | None = None) -> Position:
        """Return the place after the last event, or after the last that was stored before the time `before`."""

    async def search(self, query: SearchQuery) -> Found:
        """Return the messages that say something. `maintain` makes them findable, so the latest may be missing."""

    async def responses(self, conversation_id: str) -> Sequence[ResponseRecord]:
        """Return the API responses of a conversation and its subagents, by time."""

    async def total_usage(self, conversation_id: str) -> Mapping[str, Totals]:
        """Return by model what a conversation and its subagents used, each API response once."""

    async def stretches(self, query: StretchQuery) -> Sequence[Stretch]:
        """Return what was used over all conversations, each API response once, by the times of the first."""

    async def figured(self, machines: frozenset[str] | None = None) -> tuple[int, int] | None:
        """Return from when to before when there are figures, in multiples of `QUARTER_MS`; None if there are none."""

    async def overview(self, query: FigureQuery) -> Overview:
        """Return what went on in the spans that `query` asks for. It takes no account of `query.model`."""

    async def usage(self, query: FigureQuery) -> Sequence[SpanUsage]:
        """Return what was used in the spans that `query` asks for, by span and model."""

    async def sessions(self, query: SessionQuery) -> Page[SessionUsage]:
        """Return what conversations used, of each response's copies only the one that counts."""

    async def activity(self, conversation_id: str) -> Activity:
        """Return what went on in a conversation."""

    async def tool_calls(self, conversation_id: str, query: ToolCallQuery) -> Page[CalledTool]:
        """Return tool calls in the order in which they were made."""

    async def subagents(self, conversation_id: str) -> Sequence[Subagent]:
        """Return the subagents of a conversation, by the time at which they started."""

    async def entries(self, conversation_id: str, query: EntryQuery) -> Page[StoredEntry]:
        """Return records of a conversation in the order of storing, each once, messages and all others."""

    async def nodes(self, conversation_id: str) -> Sequence[Node]:
        """Return the entries of a conversation and its subagents that have a uuid, each once.

        The conversation's own come first, then each subagent's by its id, in the order of the transcript.
        """

    async def streams(self, conversation_id: str) -> Sequence[StoredStream]:
        """Return the streams of a conversation, in the order in which they began."""

    async def bytes_of(self, stream_id: int, start: int) -> bytes:
        """Return some bytes of a stream from `start` on, as they were read; none at its end."""

    async def repeats(self, stream_id: int) -> Sequence[tuple[int, int]]:
        """Return where in a stream entries stand that repeat others of their conversation: offset and length."""

    async def quarantine(self, query: QuarantineQuery) -> Page[Quarantined]:
        """Return what could not be understood, the latest first."""

    async def record_types(self, machines: frozenset[str] | None = None) -> Sequence[RecordType]:
        """Return every type of record that was ever met, the unknown ones first."""

    async def facts(self, machines: frozenset[str] | None = None) -> StorageFacts:
        """Return what there is to know of the storage itself; `machines` narrows what is counted."""

    async def note_reads(self, reads: Sequence[Read]) -> None:
        """Keep in the log of reads that somebody read what is not theirs, before it is shown. Nothing removes that.

        Raises StorageUnavailableError as `append` does.
        """

    async def noted_reads(self, query: ReadQuery) -> Page[Read]:
        """Return entries of the log of reads, the latest first."""

    async def reparse(self, conversation_id: str | None = None, since: str | None = None) -> int:
        """Have what was stored derived again from the archive, by `maintain`; return how many conversations that is.

        All of it, or one conversation, or what a parser of version `since` or later understood.
        """

    async def create_project(self, draft: ProjectDraft) -> Stored | None:
        """Make a project on this machine, which conversations join as they come; None if there is one at its path."""

    async def edit_project(self, project_id: str, edit: ProjectEdit) -> Stored | None:
        """Change what a person says of a project, which nothing else changes. None if it is not known."""

    async def forget_conversation(self, conversation_id: str) -> Stored | None:
        """Remove all that is known of a conversation, for ever: it is not stored again. None if it is not known."""

    async def forget_project(self, project_id: str) -> Stored | None:
        """Remove a project and its conversations, for ever. Conversations that begin later are stored."""

    async def kept(self, namespace: str) -> Mapping[str, bytes]:
        """Return the values that a plugin keeps here under its own name, by their keys."""

    async def keep(self, namespace: str, changes: Mapping[str, bytes | None]) -> None:
        """Keep some values in ONE transaction; None removes. Once this returns, no power cut undoes it.

        For the little that a plugin must not lose, such as accounts. Raises StorageUnavailableError as `append` does.
        """

    async def vacuum(self) -> Vacuumed:
        """Do a small part of what gives unused space back to the file system; call it again while there is more.

        Raises StorageUnavailableError as `append` does.
        """

    async def maintain(self, health: Health) -> Stored | None:
        """Do one small part of the work that can wait; return what it changed, or None if there was nothing to do.

        Raises StorageUnavailableError as `append` does. What goes on for long is shown in `health.tasks`.
        """

    async def called(self) -> None:
        """Return when `maintain` should be called at once; it is called every few seconds anyway.

        For a storage that several daemons share: `maintain` returns then what another one stored, and so does whatever
        else returns what it stored, for events are told in their order. Such a storage is rare: without this method,
        nobody calls.
        """
        import trio

        await trio.sleep_forever()


class Prices(Protocol):
    """Knows what an API response costs at list price. Pure, and the same for one `version` for ever."""

    version: str

    def cost(self, response: Response, at: int) -> Cost | None:
        """Return what `response`, which began at `at`, costs; None where no price is known. Never guesses."""


class Auth(AbstractAsyncContextManager["Auth"], Protocol):
    """Says who is asking.

    `challenge` is what a stranger is told to present, as in the header `WWW-Authenticate`. It begins with the scheme of
    HTTP: what stands behind that in `Authorization` is a peer's token, and a token of any other scheme is not valid.
    """

    challenge: str = "Bearer"

    async def identify(self, peer: Peer) -> User | None:
        """Return who `peer` is, or None for a stranger. A token that is presented but not valid makes a stranger."""

    async def ended(self, user: User) -> None:
        """Return once what `user` presented is not valid any more, or makes another user of them.

        It expired or was revoked; the account's role was changed, or it was removed. Never returns for who presented
        nothing. Who keeps a connection open for a user waits for this and closes it.
        """


class Cache(AbstractAsyncContextManager["Cache"], Protocol):
    """Keeps what was made once, to be had again. It may forget anything at any time, and never raises for that.

    Where it cannot be asked at the moment, both raise CacheUnavailableError, at once or after a short wait: what was
    asked for is then made anew, and `/health` tells why until it answers again.

    A key stands for one value for ever: whatever would change the value has a part in the key.
    """

    async def get(self, key: str, /) -> bytes | None:
        """Return the value of `key`, or None if it is not kept (any more)."""

    async def put(self, key: str, value: bytes, /) -> None:
        """Keep a value, if there is room for it."""


class Transport(Protocol):
    """Carries what is stored out of the house."""

    name: str

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Serve until `observatory.stopping` is set, then tell your clients and return.

        Call `task_status.started()` once you can be reached.
        """


class Sink(AbstractAsyncContextManager["Sink"], Protocol):
    """Receives what was stored, such as a webhook or a notifier: entered before the first delivery, left at the end.

    Each event is delivered at least once, in the order of `seq`, over restarts too: the core keeps how far the sink
    called `name` came, and reads on from storage. A new sink begins with what is stored from then on.
    """

    name: str

    async def deliver(self, events: Sequence[Event], /) -> None:
        """Take some events, one at least. Returning says that they arrived: they are not delivered again.

        A sink that raises, or takes longer than five minutes, is left, entered again after a pause that grows, and
        given the same events, perhaps with more. It may be cancelled at any time.
        """
