"""How `ccod tail` shows what it hears: a line for a person, or JSON for a program."""

from __future__ import annotations

import re
import sys
import time
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from math import inf
from typing import Any

import msgspec
import trio
from msgspec import Struct
from rich.console import Console
from rich.text import Text

HOLD_SECONDS = 1.0
MAX_PROJECTS = 10_000
COLOURS = {"you": "green", "claude": "cyan", "agent": "magenta", "tool": "dim", "state": "dim"}
SPOKEN_INPUTS = ("command", "file_path", "path", "pattern", "query", "url", "description", "prompt")


class Block(Struct, rename="camel"):
    type: str
    text: str | None = None
    name: str | None = None
    input: Any = None
    is_error: bool = False


class Message(Struct, rename="camel"):
    role: str
    timestamp: str
    content: str = ""
    blocks: list[Block] = []
    agent_id: str | None = None
    is_meta: bool = False


class Conversation(Struct, rename="camel"):
    id: str
    project_name: str = ""


class Data(Struct, rename="camel"):
    """The data of a broadcast, as far as a line tells of it."""

    event: str
    conversation_id: str = ""
    project_name: str = ""
    message: Message | None = None
    conversation: Conversation | None = None
    to: str = ""
    reason: str = ""
    duration: int = 0
    message_count: int = 0


class JsonLines:
    """Each event as one line, as the hub told it."""

    deadline = inf

    def broadcast(self, data: msgspec.Raw) -> None:
        text = bytes(data).decode()
        sys.stdout.write(re.sub("[\x7f-\x9f\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
        sys.stdout.flush()

    def flush(self) -> None:
        pass

    def note(self, text: str) -> None:
        sys.stderr.write(f"ccod: {text}\n")


class Lines:
    """Each message and each change of a state as a line that says when, in which project, who, and what.

    The project of a conversation is known once the hub tells of the conversation, which it does right after its
    first message: until then, or for a second at most, lines wait, so that none overtakes another.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._projects: dict[str, str] = {}
        self._waiting: deque[tuple[float, str, str, str, str]] = deque()

    @property
    def deadline(self) -> float:
        return self._waiting[0][0] if self._waiting else inf

    def broadcast(self, data: msgspec.Raw) -> None:
        event = msgspec.json.decode(data, type=Data)
        if event.event == "conversation_started":
            self._learn(event.conversation_id, event.project_name)
        elif event.conversation is not None:
            self._learn(event.conversation.id, event.conversation.project_name)
        elif event.message is not None:
            at = clock(event.message.timestamp)
            for who, what in told(event.message):
                self._hold(event.conversation_id, at, who, what)
        elif what := told_of_state(event):
            self._hold(event.conversation_id, time.strftime("%H:%M:%S"), "state", what)
        self.flush()

    def _hold(self, conversation: str, at: str, who: str, what: str) -> None:
        self._waiting.append((trio.current_time() + HOLD_SECONDS, conversation, at, who, what))

    def flush(self) -> None:
        """Print what need not wait any longer."""
        while self._waiting:
            until, conversation, at, who, what = self._waiting[0]
            project = self._projects.get(conversation)
            if project is None and until > trio.current_time():
                return
            self._waiting.popleft()
            self._print(at, project or "-", who, what)

    def note(self, text: str) -> None:
        self._console.print(Text(printable(text), "yellow"))

    def _learn(self, conversation: str, project: str) -> None:
        if len(self._projects) >= MAX_PROJECTS:
            del self._projects[next(iter(self._projects))]
        self._projects[conversation] = project

    def _print(self, at: str, project: str, who: str, what: str) -> None:
        line = Text.assemble(
            (at, "dim"),
            f" {printable(project):<12}  ",
            (f"{who:<6}", COLOURS.get(who, "")),
            f"  {printable(what)}",
        )
        if self._console.is_terminal:
            line.truncate(self._console.width, overflow="ellipsis")
        self._console.print(line, soft_wrap=True)


def told(message: Message) -> Iterator[tuple[str, str]]:
    """Yield who says what, for each block of a message that says something."""
    speaker = _speaker(message)
    for block in message.blocks or [Block("text", message.content)]:
        match block.type:
            case "toolUse":
                yield speaker, f"{block.name}  {spoken_input(block.input)}".rstrip()
            case "toolResult":
                yield "tool", ("✗ " if block.is_error else "") + first_line(block.text or "")
            case "text" | "thinking":
                yield speaker, first_line(block.text or "") or f"({block.type})"
            case other:
                yield speaker, f"({other})"


def told_of_state(event: Data) -> str:
    """Return what an event says of the state of a conversation, if it does."""
    match event.event:
        case "conversation_state_changed":
            return f"{event.to.replace('_', ' ')}: {event.reason}"
        case "conversation_ended":
            return f"ended after {timedelta(seconds=event.duration // 1000)}, {event.message_count} messages"
    return ""


def _speaker(message: Message) -> str:
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
    try:
        return datetime.fromisoformat(timestamp).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return time.strftime("%H:%M:%S")
