"""What `ccod tail` understands of an event, and how it says that in a few words."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

SPOKEN_INPUTS = ("command", "file_path", "path", "pattern", "query", "url", "description", "prompt")
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


def spoken_input(arguments: Any) -> str:
    """Return the argument of a tool call that tells most of it."""
    if not isinstance(arguments, dict):
        return ""
    named = [arguments[key] for key in SPOKEN_INPUTS if key in arguments]
    return next((first_line(value) for value in [*named, *arguments.values()] if isinstance(value, str)), "")


def spoken_seconds(seconds: float) -> str:
    """Return a duration such as `0.3 s`, `12 s` or `1:02:03`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    return f"{seconds:.0f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))


def first_line(text: str) -> str:
    """Return the first line that is not blank."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def printable(text: str) -> str:
    """Make visible whatever a terminal might obey instead of show."""
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return " " if char.isspace() else char.encode("unicode_escape").decode()


def clock(timestamp: str) -> str:
    """Return the local time of day."""
    moment = read_time(timestamp)
    return moment.astimezone().strftime("%H:%M:%S") if moment else time.strftime("%H:%M:%S")


def read_time(timestamp: str) -> datetime | None:
    try:
        return datetime.fromisoformat(timestamp)
    except ValueError:
        return None
