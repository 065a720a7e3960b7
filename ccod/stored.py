"""What is read from a storage: projects, conversations, messages and what stands below them, a `Page` at a time."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct, field
from msgspec.structs import astuple

from ccod.model import STATUSES, Cost, Key, Response, Role, State, Status, StreamKind, ToolStatus, Usage

T = TypeVar("T")


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


class Stretch(Struct, frozen=True):
    """What was used of one model from `first_at` to `last_at`.

    All of it lies in one quarter of an hour, which holds its end and not its beginning: so a stretch is wholly before
    or wholly beyond any block of time that ends with a quarter.
    """

    model: str
    first_at: int
    last_at: int
    totals: Totals


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

    `journal` is what was written and is not in the database file yet. `projects`, `conversations` and `messages` count
    what is stored, without what subagents said.
    """

    engine: str
    version: str
    size: int
    faults: Sequence[str] = ()
    journal: int = 0
    projects: int = 0
    conversations: int = 0
    messages: int = 0


class Vacuumed(Struct, frozen=True):
    """What a storage does not use of its files, in bytes, and whether there is `more` to do about it.

    Where it cannot give that back `in_steps`, only a command without the daemon can.
    """

    unused: int
    more: bool
    in_steps: bool


class Read(Struct, frozen=True):
    """Somebody read a conversation of a machine that is not theirs.

    `credential` is that of the `User`, never a token. `address` is where it was asked from, `route` what was asked,
    and `served_by` the machine whose daemon answered.
    """

    at: int
    user_id: str
    email: str
    credential: str
    address: str
    route: str
    conversation_id: str
    machine: str
    served_by: str


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
