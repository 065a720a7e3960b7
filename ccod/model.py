"""What flows through the house, and what is read from it.

In: `Stream`, `Record`, `Checkpoint`, `Batch` of a source → `Entry`, `Unparsed` of a parser → `Event`, `Stored`.
Out: `Project`, `Conversation`, `Message`, `ToolCall`, `Usage`, `Content`, each read a `Page` at a time.

Every time is an integer of milliseconds since 1970-01-01 UTC. Every offset and length is in bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct, field

T = TypeVar("T")

Role = Literal["user", "assistant"]
Status = Literal["active", "completed", "error"]
ToolStatus = Literal["pending", "success", "error"]

# ---------------------------------------------------------------- from a source


class Stream(Struct, frozen=True):
    """One append-only sequence of bytes in which records stand, such as a transcript file.

    `key` names it within its source for ever: a file that was rewritten continues as a stream with a new key.
    `format` names the parser. `path` is where a person finds it now. `conversation` is the id of the conversation
    it feeds. `agent` is the id of the subagent whose transcript it is, or None for the conversation's own.
    """

    key: str
    format: str
    path: str
    conversation: str
    agent: str | None = None


class Record(Struct, frozen=True, gc=False):
    """One complete line of a stream, its terminator included, so that records join up to the stream's bytes.

    `piece` is 0 for a whole line. A line longer than its source accepts comes in pieces 1, 2, 3 …: kept, never parsed.
    """

    offset: int
    body: bytes
    piece: int = 0


class Checkpoint(Struct, frozen=True):
    """How far a stream has been read: everything before `offset` is stored. `state` is the source's own text."""

    offset: int
    state: str = ""


class Batch(Struct, frozen=True):
    """Adjacent records of one stream, and where to resume once they are stored. Stored in one transaction.

    `history` marks records that were there before this observatory first looked: stored, but no news.
    `change` says what happened to the file (a batch without records is a rename or an unlink), at `size` bytes.
    """

    stream: Stream
    records: Sequence[Record]
    checkpoint: Checkpoint
    history: bool = False
    change: Literal["add", "change", "unlink"] = "change"
    size: int = 0


# ---------------------------------------------------------------- from a parser


class Usage(Struct, frozen=True, gc=False):
    """Tokens of one or many API responses. `input_tokens` excludes cached ones; the five counts are disjoint."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_5m_tokens: int = 0
    cache_creation_1h_tokens: int = 0
    cache_read_tokens: int = 0
    web_search_requests: int = 0

    @property
    def cache_creation_tokens(self) -> int:
        return self.cache_creation_5m_tokens + self.cache_creation_1h_tokens

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens + self.cache_creation_tokens + self.cache_read_tokens


class Response(Struct, frozen=True, gc=False):
    """What one entry tells of the API response it belongs to. Several entries may tell of one response."""

    message_id: str
    request_id: str
    model: str
    usage: Usage
    service_tier: str = ""
    speed: str = ""
    region: str = ""


class ToolUse(Struct, frozen=True, gc=False):
    """An assistant's call of a tool."""

    id: str
    name: str


class ToolResult(Struct, frozen=True, gc=False):
    """The answer to a tool call. `duration_ms` is what the transcript states, or None."""

    tool_use_id: str
    is_error: bool = False
    duration_ms: int | None = None


class Title(Struct, frozen=True, gc=False):
    """A name for the conversation. The highest `rank` wins; of one rank the last, but of rank 0 the first."""

    text: str
    rank: int = 0


class Entry(Struct, frozen=True):
    """One record, understood. `offset` and `length` are its own bytes, also where two records share one line.

    `role` is set where the record is a message. `known` is False for a type that the parser has never heard of.
    `error` says that this entry states a failed API response. `mended` says in a few words, without any of the
    content, what of the record could not be taken as it stands; it is empty for a sound one.
    """

    offset: int
    length: int
    type: str
    subtype: str = ""
    known: bool = True
    uuid: str | None = None
    parent: str | None = None
    at: int | None = None
    session: str | None = None
    version: str | None = None
    cwd: str | None = None
    branch: str | None = None
    role: Role | None = None
    sidechain: bool = False
    meta: bool = False
    error: bool = False
    response: Response | None = None
    tool_uses: Sequence[ToolUse] = ()
    tool_results: Sequence[ToolResult] = ()
    title: Title | None = None
    mended: str = ""


class Unparsed(Struct, frozen=True):
    """Bytes that could not be understood, and why, in a few words without any of their content."""

    offset: int
    length: int
    reason: str


class Block(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One content block of a message. Which fields are set depends on `type`."""

    type: Literal["text", "thinking", "toolUse", "toolResult", "image", "document", "other"]
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    tool_use_id: str | None = None
    is_error: bool | None = None
    media_type: str | None = None
    size: int | None = None


class Content(Struct, frozen=True):
    """What a message says: `text` joins its text blocks, `blocks` holds all of them in order."""

    text: str
    blocks: Sequence[Block] = ()


# ---------------------------------------------------------------- from a storage


class Project(Struct, frozen=True):
    """A working directory in which conversations took place."""

    id: str
    name: str
    path: str
    machine: str
    created_at: int
    updated_at: int
    last_activity: int | None = None
    conversation_count: int = 0
    description: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


class Conversation(Struct, frozen=True):
    """One session of the agent; `id` is its session id. Counts and usage are its own, subagents' apart.

    `project_id` is None until an entry names a working directory. `file_deleted_at` is set once the transcript is gone.
    """

    id: str
    project_id: str | None
    project_name: str
    title: str
    status: Status
    created_at: int
    updated_at: int
    file_path: str
    machine: str
    message_count: int = 0
    user_message_count: int = 0
    assistant_message_count: int = 0
    response_count: int = 0
    tool_call_count: int = 0
    tool_error_count: int = 0
    subagent_count: int = 0
    usage: Usage = Usage()
    model: str | None = None
    version: str | None = None
    branch: str | None = None
    file_deleted_at: int | None = None


class ToolCall(Struct, frozen=True):
    """A tool use and, once it came, its result. `result_message_id` is the message that bears the result."""

    id: str
    name: str
    status: ToolStatus
    duration_ms: int | None = None
    result_message_id: str | None = None


class Message(Struct, frozen=True):
    """A message as stored: what the rows know, and `body`, its raw record, for the parser of `format` to show.

    `sequence` grows with the order of storing. `response_id` is shared by the messages of one API response, of which
    `usage` is the whole.
    """

    id: str
    conversation_id: str
    sequence: int
    role: Role
    at: int
    format: str
    body: bytes
    parent_id: str | None = None
    agent: str | None = None
    sidechain: bool = False
    meta: bool = False
    model: str | None = None
    response_id: str | None = None
    usage: Usage | None = None
    tool_calls: Sequence[ToolCall] = ()


EventKind = Literal["project_discovered", "conversation_started", "message_added"]


class Event(Struct, frozen=True):
    """One thing that happened and was stored. `seq` grows by one order for all events, over restarts too."""

    seq: int
    kind: EventKind
    at: int
    conversation_id: str | None = None
    project_id: str | None = None
    message: Message | None = None


class FileChange(Struct, frozen=True):
    """What happened to a transcript file, as its source saw it."""

    type: Literal["add", "change", "unlink"]
    path: str
    size: int


class Stored(Struct, frozen=True):
    """What one batch changed: the new events in order, and the ids of what now reads differently."""

    events: Sequence[Event] = ()
    conversations: Sequence[str] = ()
    projects: Sequence[str] = ()
    file: FileChange | None = None


class Page(Struct, Generic[T], frozen=True):
    """Some of many: `items` of the page, `total` of all."""

    items: Sequence[T]
    total: int


# ---------------------------------------------------------------- asked of a storage


class ProjectQuery(Struct, frozen=True):
    """Which projects: `sort` names a field of `Project`."""

    sort: Literal["updatedAt", "createdAt", "name", "lastActivity", "conversationCount"] = "updatedAt"
    descending: bool = True
    offset: int = 0
    limit: int = 20


class ConversationQuery(Struct, frozen=True):
    """Which conversations: those that were going on at some time from `since` to `until`, both included."""

    project_id: str | None = None
    status: Status | None = None
    since: int | None = None
    until: int | None = None
    sort: Literal["updatedAt", "createdAt", "title", "messageCount"] = "updatedAt"
    descending: bool = True
    offset: int = 0
    limit: int = 20


class MessageQuery(Struct, frozen=True):
    """Which messages of one conversation. `agent` asks for a subagent's instead of the conversation's own."""

    agent: str | None = None
    role: Role | None = None
    descending: bool = False
    offset: int = 0
    limit: int = 50


# ---------------------------------------------------------------- who asks


class Peer(Struct, frozen=True):
    """What a transport knows of a caller. `uid` is set only where the kernel vouches for a local process;
    `token` is what the caller presented; `foreign` is True where another site's page sent the request."""

    uid: int | None = None
    token: str | None = None
    foreign: bool = False


class User(Struct, frozen=True):
    """Who is asking."""

    id: str
    email: str
    role: Literal["owner", "admin", "user"]
