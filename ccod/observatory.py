"""What a transport may use: the open house, seen from the door."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccod.bus import Bus
from ccod.events import Stored
from ccod.faults import Faults, Plugin
from ccod.health import Health
from ccod.metrics import Metrics
from ccod.model import Content
from ccod.redaction import Redactor
from ccod.roles import Auth, Cache, Parser, Storage
from ccod.settings import Reloaded
from ccod.stored import Message

if TYPE_CHECKING:
    import trio


async def _nothing_to_reload() -> Reloaded:
    return Reloaded([], [])


class NoCache(Cache):
    """Keeps nothing."""

    async def __aexit__(self, *_: object) -> None:
        """There is nothing to close."""

    async def get(self, _key: str) -> bytes | None:
        return None

    async def put(self, _key: str, _value: bytes) -> None:
        """Forget it at once."""


@dataclass(frozen=True)
class Observatory:
    """`stopping` is set when the daemon begins to stop: finish what you are at, tell your clients, return.

    `ask` puts a hook that a plugin added to every plugin: `ask("ccod_http_blueprints", settings=…)` returns each
    plugin's name with its answer. `change` does what changes the storage, such as forgetting, and publishes that.
    `roots` are the folders that sources read, below which nothing is ever written. `redactor` masks the secrets in
    what is shown. `cache` keeps what is costly to make. `plugins` are all that were found. `reload` reads the settings
    again and applies what can be; it raises CcodError, and changes nothing, when they are wrong. `metrics` hands out
    instruments to whoever measures. `faults` is told of what a plugin did wrong: `blame` at the start, `note` later.
    """

    storage: Storage
    auth: Auth
    bus: Bus
    health: Health
    parsers: Mapping[str, Parser]
    stopping: trio.Event
    ask: Callable[..., Sequence[tuple[str, Any]]]
    change: Callable[[Callable[[], Awaitable[Stored | None]]], Awaitable[Stored | None]]
    roots: Sequence[str] = ()
    redactor: Redactor = dataclasses.field(default_factory=Redactor)
    cache: Cache = dataclasses.field(default_factory=NoCache)
    plugins: Sequence[Plugin] = ()
    reload: Callable[[], Awaitable[Reloaded]] = _nothing_to_reload
    metrics: Metrics = dataclasses.field(default_factory=Metrics)
    faults: Faults = dataclasses.field(default_factory=lambda: Faults([]))

    def content(self, message: Message, *, reveal: bool = False) -> Content:
        """Return what a stored message says, secrets masked. A format whose parser is gone shows no content."""
        parser = self.parsers.get(message.format)
        content = parser.content(message.body) if parser else Content("")
        return content if reveal else self.redactor.mask_content(content)
