"""What flows through the house, and what is read from it.

In: `Stream`, `Record`, `Checkpoint`, `Batch` of a source → `Entry`, `Unparsed` of a parser → `Event`, `Stored`.
Out: `Project`, `Conversation`, `Message`, `ToolCall`, `Usage`, `Content`, each read a `Page` at a time.

Every time is an integer of milliseconds since 1970-01-01 UTC. Every offset and length is in bytes.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct, field
from msgspec.structs import astuple

T = TypeVar("T")

Role = Literal["user", "assistant"]
Key = tuple[int | str, ...]
"""Where an item stands in the order of a list: what a storage says, to be given back to it as `after`.

A query with `after` asks for what follows there, whatever has been stored since, and `offset` counts from there.
"""
Status = Literal["active", "completed", "error"]
State = Literal["active", "waiting", "pending_tool", "error", "completed"]
ToolStatus = Literal["pending", "success", "error"]
StreamKind = Literal["transcript", "attachment"]

STATUSES: Mapping[State, Status] = {
    "active": "active",
    "waiting": "active",
    "pending_tool": "active",
    "error": "error",
    "completed": "completed",
}
"""What each state of a conversation is called in short."""

# ---------------------------------------------------------------- from a source


class Stream(Struct, frozen=True):
    """One append-only sequence of bytes in which records stand, such as a transcript file.

    `key` names it within its source for ever: a file that was rewritten continues as a stream with a new key.
    `format` names the parser. `path` is where a person finds it now. `conversation` is the id of the conversation
    it feeds. `agent` is the id of the subagent whose transcript it is, or None for the conversation's own.
    `kind` is "attachment" for a file beside a transcript, such as the output of a tool that did not fit into it.
    """

    key: str
    format: str
    path: str
    conversation: str
    agent: str | None = None
    kind: StreamKind = "transcript"


class Record(Struct, frozen=True, gc=False):
    """One complete line of a stream, its terminator included, so that records join up to the stream's bytes.

    Only the last one may lack its terminator; what comes then begins another record.

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
    `change` says what happened to the file (a batch without records is a rename or an unlink), at `size` bytes:
    "rewrite" ends this stream, for the file goes on as another; None is a checkpoint alone. `rest` is what stands
    behind the checkpoint: a line without an end, kept until records follow; None where that is not known.
    """

    stream: Stream
    records: Sequence[Record]
    checkpoint: Checkpoint
    history: bool = False
    change: Literal["add", "change", "unlink", "rewrite"] | None = "change"
    size: int = 0
    rest: bytes | None = None


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

    def __add__(self, other: Usage) -> Usage:
        return Usage(*map(operator.add, astuple(self), astuple(other)))


class Response(Struct, frozen=True, gc=False):
    """What one entry tells of the API response it belongs to. Several entries may tell of one response."""

    message_id: str
    request_id: str
    model: str
    usage: Usage
    service_tier: str = ""
    speed: str = ""
    region: str = ""

    @property
    def is_notice(self) -> bool:
        """Whether it was made locally: no model bears such a name."""
        return self.model.startswith("<")

    @property
    def is_billed(self) -> bool:
        """Whether it has a cost, known or not: a notice, and one that used nothing, have none."""
        return not self.is_notice and (self.usage.total_tokens > 0 or self.usage.web_search_requests > 0)


class Charge(Struct, frozen=True):
    """One part of a cost: `count` units of `what`, at `nanos` nano-dollars for each."""

    what: str
    count: int
    nanos: int


class Cost(Struct, frozen=True):
    """What an API response costs at list price: `nanos` nano-dollars, and how that came about.

    `multipliers` are in thousandths and hold for all charges but web searches.
    """

    nanos: int
    charges: Sequence[Charge] = ()
    multipliers: Sequence[tuple[str, int]] = ()


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
    """A name for the conversation. The highest `rank` wins; of one rank the last, but of rank 0 the first.

    With a `leaf` it names the conversation that holds the entry of this uuid, whichever that is.
    """

    text: str
    rank: int = 0
    leaf: str | None = None


class Spawn(Struct, frozen=True, gc=False):
    """What an entry tells of the subagent `agent`, such as the call that started it.

    Several entries may tell of one subagent: the call is that of the highest `rank`, of one rank the first.
    """

    agent: str
    tool_use_id: str | None = None
    rank: int = 0
    agent_type: str | None = None
    description: str | None = None
    parent_agent: str | None = None
    depth: int | None = None


class Entry(Struct, frozen=True):
    """One record, understood. `offset` and `length` are its own bytes, also where two records share one line.

    `role` is set where the record is a message. `known` is False for a type that the parser has never heard of.
    `logical_parent` is what a compacted conversation goes on from. `queued` stands for the words of a prompt that was
    typed while the agent was at work: two entries may tell of it, and one message is meant.
    `error` says that this entry states a failed API response. `ends` says that the agent stopped here: its turn is
    over, a person interrupted it, or it gave up trying to reach the API. `mended` says in a few words, without any of
    the content, what of the record could not be taken as it stands; it is empty for a sound one.
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
    ends: Literal["turn", "interrupt", "retries"] | None = None
    logical_parent: str | None = None
    spawns: Sequence[Spawn] = ()
    queued: int | None = None


TOO_LONG = "line too long"
"""Why a line that came in pieces is `Unparsed`."""


class Unparsed(Struct, frozen=True):
    """Bytes that could not be understood, and why, in a few words without any of their content."""

    offset: int
    length: int
    reason: str


class Block(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One content block of a message. Which fields are set depends on `type`.

    `output_path` is the file that holds a tool's whole output, where that did not fit into the transcript. `files` are
    the images and documents among it.
    """

    type: Literal["text", "thinking", "toolUse", "toolResult", "image", "document", "other"]
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    tool_use_id: str | None = None
    is_error: bool | None = None
    media_type: str | None = None
    size: int | None = None
    output_path: str | None = None
    files: Sequence[Block] | None = None


class Content(Struct, frozen=True):
    """What a message says: `text` joins its text blocks, `blocks` holds all of them in order."""

    text: str
    blocks: Sequence[Block] = ()

    def words(self) -> str:
        """Return all that can be searched: also thoughts, and what tools are given and answer."""
        return "\n".join(text for block in self.blocks for text in (block.text, *_texts(block.input)) if text)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in what JSON can say, without going by recursion into what is deeply nested."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting += reversed(item.values())
        elif isinstance(item, list):
            waiting += reversed(item)


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

    `error_count` counts failed API responses. `unpriced_response_count` counts those that used something without a
    known price. `project_id` is None until an entry names a working directory, and `project_name` is that of the
    transcript's folder until then, as it stands. `cwd` is the first directory it worked in, `latest_cwd` the last.
    `file_deleted_at` is set once the transcript is gone, `file_rewritten_at` when it was last truncated or rewritten:
    what was stored before stays.
    `state_reason` says in a few fixed words why it is in its state, in which it has been from `state_since` on.
    """

    id: str
    project_id: str | None
    project_name: str
    title: str
    state: State
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
    error_count: int = 0
    subagent_count: int = 0
    usage: Usage = Usage()
    cost_nanos: int = 0
    unpriced_response_count: int = 0
    model: str | None = None
    version: str | None = None
    branch: str | None = None
    cwd: str | None = None
    latest_cwd: str | None = None
    file_deleted_at: int | None = None
    file_rewritten_at: int | None = None
    state_reason: str = "growing"
    state_since: int = 0

    @property
    def status(self) -> Status:
        return STATUSES[self.state]


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


class CalledTool(Struct, frozen=True):
    """A tool call with the messages that make it and, once it came, bear its result."""

    call: ToolCall
    at: int
    agent: str | None
    use: Message | None
    result: Message | None


class Subagent(Struct, frozen=True):
    """A subagent of a conversation. `tool_use_id` is the call that started it, `message_id` the message that makes it.

    `parent` is the subagent that made the call, or None where it was the conversation itself. `totals` are its own.
    """

    id: str
    agent_type: str | None
    description: str | None
    tool_use_id: str | None
    message_id: str | None
    parent: str | None
    depth: int | None
    message_count: int
    tool_call_count: int
    totals: Totals
    started_at: int | None
    ended_at: int | None
    model: str | None


class Node(Struct, frozen=True, gc=False):
    """An entry as a knot in the tree of a conversation: what it is, and what it says of the entry it follows."""

    id: str
    parent: str | None
    logical_parent: str | None
    type: str
    subtype: str
    role: Role | None
    at: int
    agent: str | None
    sidechain: bool
    meta: bool


class StoredEntry(Struct, frozen=True, gc=False):
    """A record as stored: what the rows know, and `body`, its bytes. `id` is its uuid or its place."""

    id: str
    parent: str | None
    type: str
    subtype: str
    role: Role | None
    at: int
    agent: str | None
    sidechain: bool
    meta: bool
    body: bytes


class ResponseRecord(Struct, frozen=True):
    """An API response as one conversation, or one of its subagents, knows it: told by `line_count` lines.

    Of all records of one response only one is `counted` in totals over conversations: that of the conversation `owner`.
    """

    conversation_id: str
    agent: str | None
    response: Response
    at: int
    sidechain: bool
    line_count: int
    cost: Cost | None
    counted: bool
    owner: str


class CountedResponse(Struct, frozen=True):
    """An API response that counts in totals over conversations. `id` tells apart those of one time."""

    id: int
    at: int
    response: Response
    cost_nanos: int | None


class Totals(Struct, frozen=True):
    """Tokens and cost of API responses, of which `unpriced_count` used something that has no known price."""

    usage: Usage = Usage()
    cost_nanos: int = 0
    response_count: int = 0
    unpriced_count: int = 0

    @classmethod
    def of(cls, response: Response, cost_nanos: int | None) -> Totals:
        return cls(response.usage, cost_nanos or 0, 1, int(cost_nanos is None and response.is_billed))

    def __add__(self, other: Totals) -> Totals:
        return Totals(*map(operator.add, astuple(self), astuple(other)))


class ToolStatistics(Struct, frozen=True):
    """Calls of one tool. Half of the known durations are at most `median_ms`, 95 of 100 at most `p95_ms`."""

    name: str
    count: int = 0
    error_count: int = 0
    pending_count: int = 0
    median_ms: int | None = None
    p95_ms: int | None = None


class Times(Struct, frozen=True):
    """Durations in milliseconds: half of them are at most `median_ms`, 95 of 100 at most `p95_ms`."""

    count: int = 0
    average_ms: int | None = None
    median_ms: int | None = None
    p95_ms: int | None = None


class Activity(Struct, frozen=True):
    """What went on in a conversation, its subagents apart. A turn begins where the assistant answers a prompt.

    `response_times` are those from the prompt to the beginning of the answer, one for each turn.
    """

    turn_count: int
    all_tools: ToolStatistics
    tools: Sequence[ToolStatistics] = ()
    response_times: Times = Times()


EventKind = Literal[
    "project_discovered",
    "project_updated",
    "conversation_started",
    "message_added",
    "conversation_state_changed",
    "conversation_ended",
    "conversation_forgotten",
    "project_forgotten",
]


class StateChange(Struct, frozen=True):
    """A conversation went over from one state into another."""

    before: State
    after: State
    reason: str


class Ending(Struct, frozen=True):
    """What a conversation was when nothing more was to be expected of it. It may go on all the same."""

    duration_ms: int
    message_count: int
    tool_call_count: int
    ended_at: int


class Event(Struct, frozen=True):
    """One thing that happened and was stored. `seq` grows by one order for all events, over restarts too."""

    seq: int
    kind: EventKind
    at: int
    conversation_id: str | None = None
    project_id: str | None = None
    message: Message | None = None
    detail: StateChange | Ending | None = None


class FileChange(Struct, frozen=True):
    """What happened to a transcript file, as its source saw it."""

    type: Literal["add", "change", "unlink"]
    path: str
    size: int

    @classmethod
    def of(cls, batch: Batch) -> FileChange | None:
        if batch.change is None:
            return None
        return cls("change" if batch.change == "rewrite" else batch.change, batch.stream.path, batch.size)


class Stored(Struct, frozen=True):
    """What one batch changed: the new events in order, and the ids of what now reads differently."""

    events: Sequence[Event] = ()
    conversations: Sequence[str] = ()
    projects: Sequence[str] = ()
    file: FileChange | None = None


class StoredStream(Struct, frozen=True):
    """A stream in the archive, of which the first `size` bytes are kept. `id` names it to this storage alone.

    `rewritten_at` is set where its file was truncated or rewritten, and goes on as another stream.
    """

    id: int
    conversation_id: str
    key: str
    format: str
    path: str
    agent: str | None
    size: int
    created_at: int
    deleted_at: int | None = None
    rewritten_at: int | None = None
    kind: StreamKind = "transcript"


class Quarantined(Struct, frozen=True):
    """Bytes that were kept and could not be understood: where they stood, and why."""

    conversation_id: str
    stream_id: int
    path: str
    offset: int
    length: int
    reason: str
    at: int


class RecordType(Struct, frozen=True):
    """How often records of one type were met, and in which version of the agent."""

    type: str
    subtype: str
    version: str
    known: bool
    count: int


class StorageFacts(Struct, frozen=True):
    """What a storage says of itself: the database that it runs on, which faults of it are known, and its size.

    `journal` is what was written and is not in the database file yet.
    """

    engine: str
    version: str
    size: int
    faults: Sequence[str] = ()
    journal: int = 0


class Hit(Struct, frozen=True):
    """A message that was found; `tool` names the tool that it calls or that answers in it."""

    message: Message
    title: str
    project_id: str | None
    project_name: str
    tool: str | None = None


class Found(Struct, frozen=True):
    """Some hits. `before` asks for more of them, also where none is here; None where there are no more.

    `indexed` says how much of what is stored can be found yet, from 0 to 1.
    """

    hits: Sequence[Hit]
    before: int | None = None
    indexed: float = 1.0


class Page(Struct, Generic[T], frozen=True):
    """Some of many: `items` of the page, `total` of all, and the key of the last item where more follow it."""

    items: Sequence[T]
    total: int
    next: Key | None = None


# ---------------------------------------------------------------- asked of a storage


class ProjectDraft(Struct, frozen=True):
    """A project that is made before a conversation takes place in `path`; without a `name` it is called after that."""

    path: str
    name: str | None = None
    description: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


class ProjectEdit(Struct, frozen=True):
    """What a person changes of a project; None leaves it as it is."""

    name: str | None = None
    description: str | None = None
    settings: dict[str, Any] | None = None


class ProjectQuery(Struct, frozen=True):
    """Which projects: `sort` names a field of `Project`."""

    sort: Literal["updatedAt", "createdAt", "name", "lastActivity", "conversationCount"] = "updatedAt"
    descending: bool = True
    offset: int = 0
    limit: int = 20
    after: Key | None = None


class ConversationQuery(Struct, frozen=True):
    """Which conversations: those that were going on at some time from `since` to `until`, both included.

    `model` is the one that was last at work, `has_errors` whether an API response failed.
    """

    project_id: str | None = None
    status: Status | None = None
    state: State | None = None
    model: str | None = None
    has_errors: bool | None = None
    since: int | None = None
    until: int | None = None
    sort: Literal["updatedAt", "createdAt", "title", "messageCount"] = "updatedAt"
    descending: bool = True
    offset: int = 0
    limit: int = 20
    after: Key | None = None


class SearchQuery(Struct, frozen=True):
    """Which messages: those that hold every one of `terms`, which are words or phrases, and pass the filters.

    `project` is an id or a name, `model` a part of its name, `error` asks for failures or for what is none. By time,
    the newest first, on from where an answer said `before`; or, if `ranked`, the best of the newest.
    """

    terms: Sequence[str]
    project: str | None = None
    tool: str | None = None
    role: Role | None = None
    model: str | None = None
    error: bool | None = None
    since: int | None = None
    until: int | None = None
    ranked: bool = False
    before: int | None = None
    limit: int = 20


class MessageQuery(Struct, frozen=True):
    """Which messages of one conversation. `agent` asks for a subagent's instead of the conversation's own."""

    agent: str | None = None
    role: Role | None = None
    descending: bool = False
    offset: int = 0
    limit: int = 50
    after: Key | None = None


class EntryQuery(Struct, frozen=True):
    """Which records of one conversation. `agent` asks for a subagent's instead of the conversation's own."""

    agent: str | None = None
    type: str | None = None
    subtype: str | None = None
    offset: int = 0
    limit: int = 50
    after: Key | None = None


class ToolCallQuery(Struct, frozen=True):
    """Which tool calls of one conversation. `agent` asks for a subagent's instead of the conversation's own."""

    agent: str | None = None
    name: str | None = None
    status: ToolStatus | None = None
    offset: int = 0
    limit: int = 50
    after: Key | None = None


class QuarantineQuery(Struct, frozen=True):
    """Which of what could not be understood, the latest first."""

    offset: int = 0
    limit: int = 20
    after: Key | None = None


class CountedQuery(Struct, frozen=True):
    """Which responses that count: from `since` to `until`, both included, by time and id, those beyond `after`."""

    since: int | None = None
    until: int | None = None
    after: tuple[int, int] | None = None
    descending: bool = False
    limit: int = 1000


# ---------------------------------------------------------------- who asks


class Peer(Struct, frozen=True):
    """What a transport knows of a caller. `uid` is set only where the kernel vouches for a local process;
    `token` is what the caller presented; `foreign` is True where another site's page sent the request; `unix` is True
    on the Unix socket, which only the owner can open and no web page can reach."""

    uid: int | None = None
    token: str | None = None
    foreign: bool = False
    unix: bool = False


Right = Literal["read", "write", "reveal", "admin"]


class User(Struct, frozen=True):
    """Who is asking. `scopes` narrows what the role may do, as those of an API key; None narrows nothing.

    `credential` names what was presented, such as one login of several, in words of the auth plugin; "" is nothing.
    `expires_at` is when that ends by itself.
    """

    id: str
    email: str
    role: Literal["owner", "admin", "user"]
    scopes: frozenset[Right] | None = None
    credential: str = ""
    expires_at: int | None = None
