"""What a transport may use: the open house, seen from the door."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccod.bus import Bus
from ccod.health import Health
from ccod.model import Content, Message
from ccod.roles import Auth, Parser, Storage

if TYPE_CHECKING:
    import trio


@dataclass(frozen=True)
class Observatory:
    """`stopping` is set when the daemon begins to stop: finish what you are at, tell your clients, return.

    `ask` puts a hook that a plugin added to every plugin: `ask("ccod_http_blueprints", settings=…)` returns each
    plugin's name with its answer.
    """

    storage: Storage
    auth: Auth
    bus: Bus
    health: Health
    parsers: Mapping[str, Parser]
    stopping: trio.Event
    ask: Callable[..., Sequence[tuple[str, Any]]]

    def content(self, message: Message) -> Content:
        """Return what a stored message says. A format whose parser is gone shows no content."""
        parser = self.parsers.get(message.format)
        return parser.content(message.body) if parser else Content("")
