"""Everyone who is connected, and the way to reach them all at once."""

from __future__ import annotations

from itertools import count
from weakref import WeakValueDictionary

import trio
from msgspec import UNSET, Struct, UnsetType

from ccod import Bus, Observatory, Settings
from ccod_http.web import Problem, epoch_ms
from ccod_ws.client import CLOSE_SECONDS, Client, Socket
from ccod_ws.events import ServerShutdown
from ccod_ws.protocol import Broadcast, Channel, CloseCode, Frame, Lagged, frame
from ccod_ws.settings import WsSettings

RECONNECT_MS = 5_000

_hubs: WeakValueDictionary[Bus, Hub] = WeakValueDictionary()


class Hub:
    """Encodes a broadcast once, for all who hear its channel, and waits for none of them."""

    def __init__(self, settings: WsSettings) -> None:
        self._settings = settings
        self._clients: set[Client] = set()
        self._ids = count(1)
        self._shut = False
        self._empty = trio.Event()

    def join(self, socket: Socket) -> Client:
        """Take a client in, or raise the Problem that refuses it. Whoever joined must `leave`."""
        if self._shut:
            raise Problem(503, "SERVICE_UNAVAILABLE", "The daemon is stopping; connect again when it is back.")
        if self.connected >= self._settings.max_connections:
            raise Problem(
                503,
                "RESOURCE_LIMIT_EXCEEDED",
                f"All {self._settings.max_connections} connections are taken; [ws] max_connections sets how many.",
            )
        client = Client(f"client_{next(self._ids)}", socket, self._settings)
        self._clients.add(client)
        return client

    def leave(self, client: Client) -> None:
        self._clients.discard(client)
        if not self._clients:
            self._empty.set()

    @property
    def connected(self) -> int:
        return len(self._clients)

    def hears(self, channel: Channel) -> bool:
        """Whether anybody hears a channel: what nobody hears need not be made."""
        return any(channel in client.channels for client in self._clients)

    def broadcast(self, channel: Channel, data: Struct, seq: int | UnsetType = UNSET) -> None:
        if self.hears(channel):
            self.send(channel, frame(Broadcast(channel, data, epoch_ms(), seq)))

    def send(self, channel: Channel, encoded: Frame) -> None:
        """Broadcast what is encoded already."""
        for client in self._clients:
            if channel in client.channels:
                client.send(encoded)

    def tell_lagged(self) -> None:
        """Tell every client that broadcasts were lost."""
        lagged = frame(Lagged(epoch_ms()))
        for client in self._clients:
            client.send(lagged)

    async def shut(self) -> None:
        """Take no one in any more, let all go, and wait a moment until they have gone."""
        self._shut = True
        self.broadcast("system", ServerShutdown(RECONNECT_MS))
        for client in self._clients:
            client.close(CloseCode.GOING_AWAY, "server shutdown")
        if self._clients:
            self._empty = trio.Event()
            with trio.move_on_after(2 * CLOSE_SECONDS):
                await self._empty.wait()


def hub_of(settings: Settings, observatory: Observatory) -> Hub:
    """Return the one hub of an observatory, which its transport and its route share."""
    hub = _hubs.get(observatory.bus)
    if hub is None:
        hub = _hubs[observatory.bus] = Hub(settings[WsSettings])
    return hub
