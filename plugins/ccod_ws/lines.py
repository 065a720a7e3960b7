"""How `ccod tail` shows what it hears: a line for a person, or JSON for a program."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from math import inf

import msgspec
from rich.console import Console
from rich.text import Text

from ccod_http.printing import first_line, printable
from ccod_ws.calls import Calls
from ccod_ws.speech import Block, Data, Message, clock, speaker, told_of_state

MAX_PROJECTS = 10_000
COLOURS = {"you": "green", "claude": "cyan", "agent": "magenta", "tool": "dim", "state": "dim"}
EVENTS = (
    "conversation_started",
    "message_added",
    "conversation_state_changed",
    "conversation_ended",
    "conversation_forgotten",
)
"""What lines tell of."""


class JsonLines:
    """Each event as one line, as the hub told it."""

    deadline = inf

    async def tell(self, data: msgspec.Raw) -> None:
        text = bytes(data).decode()
        sys.stdout.write(re.sub("[\x7f-\x9f\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
        sys.stdout.flush()

    async def flush(self) -> None:
        pass

    def note(self, text: str) -> None:
        sys.stderr.write(f"ccod: {text}\n")


class Lines:
    """Each message, tool call and change of a state as a line that says when, in which project, who, and what."""

    def __init__(self, project_of: Callable[[str], Awaitable[str]], console: Console | None = None) -> None:
        """`project_of` is asked for the name of the project of a conversation that nothing was heard of yet."""
        self._project_of = project_of
        self._console = console or Console(highlight=False)
        self._projects: dict[str, str] = {}
        self._calls = Calls()

    @property
    def deadline(self) -> float:
        return self._calls.deadline

    async def tell(self, data: msgspec.Raw) -> None:
        event = msgspec.json.decode(data, type=Data)
        if event.event == "conversation_started":
            self._learn(event.conversation_id, event.project_name)
        elif event.message is not None:
            for who, what in self._told(event.conversation_id, event.message):
                await self._print(event.conversation_id, clock(event.message.timestamp), who, what)
        elif what := told_of_state(event):
            await self._print(event.conversation_id, time.strftime("%H:%M:%S"), "state", what)

    async def flush(self) -> None:
        """Tell of what has waited long enough."""
        for call in list(self._calls.overdue()):
            at = call.at.astimezone().strftime("%H:%M:%S") if call.at else time.strftime("%H:%M:%S")
            await self._print(call.conversation, at, call.speaker, f"{call.words}  … not answered yet")

    def note(self, text: str) -> None:
        self._console.print(Text(printable(text), "yellow"))

    def _told(self, conversation: str, message: Message) -> Iterator[tuple[str, str]]:
        """Yield who says what, for each block of a message that says something."""
        who = speaker(message)
        agent = f"[{message.agent_id[:6]}] " if message.agent_id else ""
        for block in message.blocks or [Block("text", message.content)]:
            match block.type:
                case "toolUse":
                    self._calls.begin(conversation, who, block, message.timestamp)
                case "toolResult":
                    caller, what = self._calls.end(conversation, block, message.timestamp)
                    yield caller, agent + what
                case "text" | "thinking":
                    yield who, agent + (first_line(block.text or "") or f"({block.type})")
                case other:
                    yield who, f"{agent}({other})"

    def _learn(self, conversation: str, project: str) -> str:
        if len(self._projects) >= MAX_PROJECTS:
            del self._projects[next(iter(self._projects))]
        self._projects[conversation] = project or "-"
        return self._projects[conversation]

    async def _print(self, conversation: str, at: str, who: str, what: str) -> None:
        project = self._projects.get(conversation) or self._learn(conversation, await self._project_of(conversation))
        line = Text.assemble(
            (at, "dim"),
            f" {printable(project):<12}  ",
            (f"{who:<6}", COLOURS.get(who, "")),
            f"  {printable(what)}",
        )
        if self._console.is_terminal:
            line.truncate(self._console.width, overflow="ellipsis")
        self._console.print(line, soft_wrap=True)
