"""What flows into the house: `Stream`, `Record`, `Checkpoint`, `Batch` of a source → `Entry`, `Unparsed` of a parser.

What a storage makes of it stands in `stored` and `events`, what is asked of it in `queries`, and who asks in `users`.

Every time is an integer of milliseconds since 1970-01-01 UTC. Every offset and length is in bytes.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import astuple

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
    `written_at` is when the file was last written to, as the source saw it when it read; None where that is not known.
    """

    stream: Stream
    records: Sequence[Record]
    checkpoint: Checkpoint
    history: bool = False
    change: Literal["add", "change", "unlink", "rewrite"] | None = "change"
    size: int = 0
    rest: bytes | None = None
    written_at: int | None = None


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


def is_notice(model: str) -> bool:
    """Tell whether what bears this for its model was made locally: no model has such a name."""
    return model.startswith("<")


class Response(Struct, frozen=True, gc=False):
    """What one entry tells of the API response it belongs to. Several entries may tell of one response.

    Without a `model` it is of the one that an entry before it named: see `Entry.model`.
    """

    message_id: str
    request_id: str
    model: str
    usage: Usage
    service_tier: str = ""
    speed: str = ""
    region: str = ""

    @property
    def is_notice(self) -> bool:
        """Whether it was made locally."""
        return is_notice(self.model)

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
    the content, what of the record could not be taken as it stands; it is empty for a sound one. `model` is who is at
    work from here on: it names the responses behind this entry in its stream that do not name theirs.
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
    model: str | None = None


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
