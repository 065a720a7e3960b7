"""A client at a WebSocket: what it may say, and how it is let go."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Protocol

import trio

from ccod_http.web import Frame, Link, epoch_ms
from ccod_ws.guests import CLOSE_SECONDS, Guest, Origin
from ccod_ws.hub import Hub
from ccod_ws.listener import Listener
from ccod_ws.protocol import (
    ClientPing,
    ClientPong,
    CloseCode,
    Error,
    ErrorCode,
    Ping,
    Pong,
    ProtocolError,
    Request,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
    Welcome,
    find_channel,
    read,
    understand,
)
from ccod_ws.settings import WsSettings

MESSAGES_PER_SECOND = 20
MESSAGES_AT_ONCE = 60


class Socket(Protocol):
    """An accepted WebSocket; see `ccod_http.web.WebSocket`."""

    link: Link

    async def receive(self) -> str | bytes | None: ...

    async def send(self, frames: Iterable[Frame], /) -> None: ...

    async def close(self, code: int, reason: str) -> None: ...


class Allowance:
    """Lets `burst` messages through at once, and `rate` a second in the long run."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = trio.current_time()

    def take(self) -> bool:
        now = trio.current_time()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Client(Guest):
    """One WebSocket. It asks and answers; what it hears is its listener's."""

    kind = "websocket"

    def __init__(self, hub: Hub, socket: Socket, origin: Origin, settings: WsSettings) -> None:
        super().__init__(hub.next_name(), origin, Listener(hub, origin.look), socket.link)
        self._hub = hub
        self._socket = socket
        self._settings = settings
        self._allowance = Allowance(MESSAGES_PER_SECOND, MESSAGES_AT_ONCE)
        self._ponged = trio.Event()
        self._draining = trio.CancelScope()

    async def run(self) -> None:
        """Serve until `close` is called. The server cancels this when the client has gone."""
        self.listener.say(Welcome(self.name, epoch_ms(), self._hub.epoch, self._hub.position))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read)
            nursery.start_soon(self._ping)
            nursery.start_soon(self.leave_once_ended, self._hub.auth)
            with self._draining:
                await self._write()
            assert self.farewell is not None
            with trio.move_on_after(CLOSE_SECONDS):
                await self._socket.close(*self.farewell)
                await trio.sleep_forever()  # until the client has answered, so that it hears the code and reason
            nursery.cancel_scope.cancel()

    def _leave(self) -> None:
        self._draining.deadline = trio.current_time() + CLOSE_SECONDS

    async def _write(self) -> None:
        while frames := await self.listener.take():
            await self._socket.send(frames)

    async def _read(self) -> None:
        """Read on to the end, also what is no longer answered: a server whose queue is full hears no close."""
        while True:
            message = await self._socket.receive()
            if self.farewell is not None:
                continue
            if not self._allowance.take():
                self._complain("RATE_LIMIT_EXCEEDED", f"at most {MESSAGES_PER_SECOND} messages a second")
                self.close(CloseCode.POLICY, "too many messages")
                continue
            try:
                await self._answer(read(message))
            except ProtocolError as error:
                self._complain(error.code, error.message)

    async def _answer(self, request: Request) -> None:
        match request:
            case Subscribe(name, wanted, since, epoch):
                channel = find_channel(self._hub.channels, name)
                chosen, place = understand(wanted, [channel]), await self._hub.place(since)
                self.listener.subscribe([channel], chosen, place, epoch)
                self.listener.say(Subscribed(name, epoch_ms(), self._hub.position))
            case Unsubscribe(name):
                self.listener.unsubscribe(find_channel(self._hub.channels, name).name)
                self.listener.say(Unsubscribed(name, epoch_ms()))
            case ClientPing():
                self.listener.say(Pong(epoch_ms()))
            case ClientPong():
                self._ponged.set()

    def _complain(self, code: ErrorCode, message: str) -> None:
        self.listener.say(Error(code, message, epoch_ms()))

    async def _ping(self) -> None:
        while True:
            await trio.sleep(self._settings.ping_interval or inf)
            self._ponged = trio.Event()
            self.listener.say(Ping(epoch_ms()), first=True)
            with trio.move_on_after(self._settings.pong_timeout or inf) as patience:
                await self._ponged.wait()
            if patience.cancelled_caught:
                self.close(CloseCode.POLICY, "pong timeout")
                return
