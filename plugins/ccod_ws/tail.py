"""A client of the hub that shows what it hears, and goes on where it was when the daemon comes back."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
import trio
from msgspec import UNSET, Struct, UnsetType
from trio_websocket import ConnectionClosed, WebSocketConnection
from wsproto.utilities import LocalProtocolError

from ccod import CcodError, UnavailableError
from ccod_http.web import HttpSettings
from ccod_ws.dialling import call

PAUSES = (0.25, 15.0)
"""The first pause before connecting again, doubled up to the last; each is shortened by chance."""


class Wish(Struct, frozen=True):
    """What to show: of these projects and conversations, events of these types; from `since` on, or from now on."""

    projects: Sequence[str] = ()
    conversations: Sequence[str] = ()
    types: Sequence[str] = ()
    since: int | str | None = None


class WishError(CcodError):
    """What was wished for cannot be shown."""


class Incoming(Struct):
    """A message from the hub, as far as every client must understand it."""

    type: str
    timestamp: int
    data: msgspec.Raw = msgspec.Raw(b"null")
    message: str = ""
    code: str = ""
    epoch: str = ""
    seq: int | UnsetType = UNSET


class Show(Protocol):
    """Puts events before a person or a program."""

    @property
    def deadline(self) -> float:
        """When `flush` is due, in trio's time."""

    async def tell(self, data: msgspec.Raw) -> None: ...

    async def flush(self) -> None: ...

    def note(self, text: str) -> None: ...


class Tail:
    """Hears each stored event once, over as many connections as it takes."""

    def __init__(self, http: HttpSettings, wish: Wish, show: Show) -> None:
        self._http = http
        self._wish = wish
        self._show = show
        self._since = wish.since
        self._epoch: str | None = None  # of the database that `since` is of
        self._here = ""
        self._begun = False
        self._lost = ""

    async def follow(self) -> None:
        """Show what happens, for ever.

        Raises UnavailableError where no connection comes about at first, WishError where the wish cannot be granted.
        """
        pause = PAUSES[0]
        while True:
            try:
                await self._connect()
            except UnavailableError:
                if not self._begun:
                    raise
            if self._lost:
                self._show.note(f"{self._lost}; trying again")
                self._lost, pause = "", PAUSES[0]
            await trio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - so that not all come at once
            pause = min(2 * pause, PAUSES[1])

    async def _connect(self) -> None:
        """Listen until the connection ends."""
        try:
            await call(self._http, "/ws", self._listen)
        except ConnectionClosed as error:
            reason = (error.reason and error.reason.reason) or "connection lost"
            self._lost = f"the daemon closed the connection: {reason}"
        except LocalProtocolError:  # trio-websocket answers a ping that comes while it closes
            self._lost = "the daemon closed the connection"
        except msgspec.DecodeError as error:
            raise UnavailableError(f"what answers there does not speak as ccod does: {error}") from error

    async def _listen(self, connection: WebSocketConnection) -> None:
        while True:
            text: str | bytes | None = None
            with trio.move_on_at(self._show.deadline):
                text = await connection.get_message()
            if text is None:
                await self._show.flush()
                continue
            incoming = msgspec.json.decode(text, type=Incoming)
            match incoming.type:
                case "welcome":
                    self._here = incoming.epoch
                    await self._subscribe(connection)
                case "subscribed":
                    self._begun, self._epoch = True, self._here
                    self._since = incoming.seq or 0 if self._since is None else self._since
                case "broadcast":
                    await self._show.tell(incoming.data)
                    self._since = self._since if incoming.seq is UNSET else incoming.seq
                case "ping":
                    await connection.send_message(f'{{"type":"pong","timestamp":{incoming.timestamp}}}')
                case "error" if incoming.code == "INVALID_SINCE" and self._begun:
                    await self._begin_anew(connection)
                case "error":
                    raise WishError(incoming.message)

    async def _begin_anew(self, connection: WebSocketConnection) -> None:
        self._show.note("the daemon has another database now; what happened meanwhile is not shown")
        self._since = self._epoch = None
        await self._subscribe(connection)

    async def _subscribe(self, connection: WebSocketConnection) -> None:
        wanted = {
            "projectId": self._wish.projects,
            "conversationId": self._wish.conversations,
            "types": self._wish.types,
        }
        asked: dict[str, Any] = {"type": "subscribe", "channel": "conversations", "filter": wanted}
        if self._since is not None:
            asked |= {"since": self._since, "epoch": self._epoch}
        await connection.send_message(msgspec.json.encode(asked).decode())
