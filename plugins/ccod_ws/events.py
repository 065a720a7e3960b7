"""What the hub broadcasts: the `data` of each event, told apart by `event`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from ccod import ServiceHealth, State
from ccod_http.web import ConversationJson, MessageJson, ProjectJson

# ---------------------------------------------------------------- conversations


class ConversationStarted(Struct, frozen=True, tag_field="event", tag="conversation_started", rename="camel"):
    conversation_id: str
    session_id: str
    project_id: str | None
    project_name: str
    start_time: int


class MessageAdded(Struct, frozen=True, tag_field="event", tag="message_added", rename="camel"):
    conversation_id: str
    message: MessageJson


class ConversationStateChanged(
    Struct, frozen=True, tag_field="event", tag="conversation_state_changed", rename={"before": "from", "after": "to"}
):
    conversation_id: str = field(name="conversationId")
    before: State
    after: State
    reason: str


class ConversationEnded(Struct, frozen=True, tag_field="event", tag="conversation_ended", rename="camel"):
    """`duration` is in milliseconds."""

    conversation_id: str
    duration: int
    message_count: int
    tool_usage_count: int
    end_time: int


class ConversationForgotten(Struct, frozen=True, tag_field="event", tag="conversation_forgotten", rename="camel"):
    conversation_id: str


class ConversationUpdated(Struct, frozen=True, tag_field="event", tag="conversation_updated"):
    conversation: ConversationJson


# ---------------------------------------------------------------- projects


class ProjectDiscovered(Struct, frozen=True, tag_field="event", tag="project_discovered"):
    project: ProjectJson


class ProjectForgotten(Struct, frozen=True, tag_field="event", tag="project_forgotten", rename="camel"):
    project_id: str


class ProjectUpdated(Struct, frozen=True, tag_field="event", tag="project_updated"):
    project: ProjectJson


# ---------------------------------------------------------------- files


class FileChanged(Struct, frozen=True, rename="camel"):
    event: Literal["add", "change", "unlink"]
    file_path: str
    size: int
    timestamp: int


# ---------------------------------------------------------------- system


class SystemHealth(Struct, frozen=True, tag_field="event", tag="system_health"):
    status: Literal["healthy", "degraded"]
    services: Mapping[str, ServiceHealth]


class ServerShutdown(Struct, frozen=True, tag_field="event", tag="server_shutdown", rename="camel"):
    """`reconnect_after` is how many milliseconds to wait before trying again."""

    reconnect_after: int
