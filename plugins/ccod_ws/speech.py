"""What `ccod tail` understands of an event, and how it says that in a few words."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

QUIET_STATES = ("active", "pending_tool")
"""States that each prompt and each tool call brings about: the lines of those tell of them."""


class Block(Struct, rename="camel"):
    type: str
    text: str | None = None
    id: str = ""
    name: str | None = None
    input: Any = None
    tool_use_id: str = ""
    is_error: bool = False


class Message(Struct, rename="camel"):
    role: str
    timestamp: str
    content: str = ""
    blocks: list[Block] = []
    agent_id: str | None = None
    is_meta: bool = False


class Data(Struct, rename="camel"):
    """The data of a broadcast, as far as a line tells of it."""

    event: str
    conversation_id: str = ""
    project_name: str = ""
    message: Message | None = None
    to: str = ""
    reason: str = ""
    duration: int = 0
    message_count: int = 0


def told_of_state(event: Data) -> str:
    """Return what an event says of the state of a conversation, if it says something that is not seen anyhow."""
    match event.event:
        case "conversation_state_changed" if event.to not in QUIET_STATES:
            return f"{event.to}: {event.reason}"
        case "conversation_ended":
            return f"ended after {timedelta(seconds=event.duration // 1000)}, {event.message_count} messages"
        case "conversation_forgotten":
            return "forgotten"
    return ""


def speaker(message: Message) -> str:
    if message.is_meta:
        return "meta"
    if message.agent_id is not None:
        return "agent" if message.role == "assistant" else "claude"
    return "claude" if message.role == "assistant" else "you"


def clock(timestamp: str) -> str:
    """Return the local time of day."""
    moment = read_time(timestamp)
    return moment.astimezone().strftime("%H:%M:%S") if moment else time.strftime("%H:%M:%S")


def read_time(timestamp: str) -> datetime | None:
    try:
        return datetime.fromisoformat(timestamp)
    except ValueError:
        return None
