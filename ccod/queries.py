"""What is asked of a storage. `machines` narrows a list to what is of these machines; None narrows nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct, field

from ccod.events import EventKind
from ccod.model import Key, Role, State, Status, ToolStatus


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

    name: str | None = None
    sort: Literal["updatedAt", "createdAt", "name", "lastActivity", "conversationCount"] = "updatedAt"
    descending: bool = True
    offset: int = 0
    limit: int = 20
    after: Key | None = None
    machines: frozenset[str] | None = None


class ConversationQuery(Struct, frozen=True):
    """Which conversations: those that were going on at some time from `since` to `until`, both included.

    `model` is the one that was last at work, `has_errors` whether an API response failed, `id_prefix` what the id
    begins with.
    """

    id_prefix: str | None = None
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
    machines: frozenset[str] | None = None


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
    machines: frozenset[str] | None = None


class EventQuery(Struct, frozen=True):
    """Which events: those after the number `after` and up to `until`, of these kinds, projects and conversations.

    An empty sequence asks for all. What was forgotten is found under the id that it had.
    """

    after: int = 0
    until: int | None = None
    kinds: Sequence[EventKind] = ()
    projects: Sequence[str] = ()
    conversations: Sequence[str] = ()
    limit: int = 100
    machines: frozenset[str] | None = None


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
    machines: frozenset[str] | None = None


class StretchQuery(Struct, frozen=True):
    """Which stretches: of the responses that count from `since` to `until`, both included."""

    since: int | None = None
    until: int | None = None
    machines: frozenset[str] | None = None


class ReadQuery(Struct, frozen=True):
    """Which entries of the log of reads: of this user (id or address) and conversation, and from `since` to `until`.

    The latest come first.
    """

    user: str | None = None
    conversation_id: str | None = None
    since: int | None = None
    until: int | None = None
    offset: int = 0
    limit: int = 20
    after: Key | None = None
