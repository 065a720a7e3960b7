"""One connected client: what it hears, what it may say, and how it is let go."""

from __future__ import annotations

from math import inf
from typing import Protocol

import structlog
import trio

from ccod_http.web import epoch_ms
from ccod_ws.outbox import Outbox
from ccod_ws.protocol import (
    ClientPing,
    ClientPong,
    CloseCode,
    Error,
    ErrorCode,
    Frame,
    Ping,
    Pong,
    ProtocolError,
    Request,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
    Welcome,
    frame,
    read,
)
from ccod_ws.settings import WsSettings

CLOSE_SECONDS = 1.0
MESSAGES_PER_SECOND = 20
MESSAGES_AT_ONCE = 60

log = structlog.get_logger("ccod.ws")


class Socket(Protocol):
    """An accepted WebSocket, as Quart offers it."""

    async def receive(self) -> str | bytes | None: ...

    async def send(self, data: str, /) -> None: ...

    async def close(self, code: int, reason: str = "") -> None: ...


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


class Client:
    """Sends never wait here: they go to an outbox, and a client that lets it overflow is let go."""

    def __init__(self, name: str, socket: Socket, settings: WsSettings) -> None:
        self.name = name
        self.channels: set[str] = set()
        self._socket = socket
        self._settings = settings
        self._outbox = Outbox()
        self._allowance = Allowance(MESSAGES_PER_SECOND, MESSAGES_AT_ONCE)
        self._ponged = trio.Event()
        self._draining = trio.CancelScope()
        self._farewell: tuple[int, str] | None = None

    async def run(self) -> None:
        """Serve until `close` is called. The server cancels this when the client has gone."""
        self.send(frame(Welcome(self.name, epoch_ms())))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read)
            nursery.start_soon(self._ping)
            with self._draining:
                await self._write()
            assert self._farewell is not None
            with trio.move_on_after(CLOSE_SECONDS):
                await self._socket.close(*self._farewell)
                await trio.sleep_forever()  # until the client has answered, so that it hears the code and reason
            nursery.cancel_scope.cancel()

    def send(self, frame: Frame) -> None:
        """Let a frame wait for its turn."""
        if not self._outbox.put(frame):
            self._outbox.clear()
            self.close(CloseCode.OVERLOAD, "reads too slowly")

    def close(self, code: CloseCode, reason: str) -> None:
        """Hear nothing more, send what waits if that is quick, and say goodbye."""
        if self._farewell is not None:
            return
        log.info("client let go", client=self.name, code=int(code), reason=reason)
        self._farewell = (code, reason)
        self.channels.clear()
        self._outbox.close()
        self._draining.deadline = trio.current_time() + CLOSE_SECONDS

    async def _write(self) -> None:
        while (frame := await self._outbox.get()) is not None:
            await self._socket.send(frame.text)

    async def _read(self) -> None:
        """Read on to the end, also what is no longer answered: a server whose queue is full hears no close."""
        while True:
            message = await self._socket.receive()
            if self._farewell is not None:
                continue
            if not self._allowance.take():
                self._complain("RATE_LIMIT_EXCEEDED", f"at most {MESSAGES_PER_SECOND} messages a second")
                self.close(CloseCode.POLICY, "too many messages")
                continue
            try:
                self._answer(read(message))
            except ProtocolError as error:
                self._complain(error.code, error.message)

    def _answer(self, request: Request) -> None:
        match request:
            case Subscribe(channel):
                self.channels.add(channel)
                self.send(frame(Subscribed(channel, epoch_ms())))
            case Unsubscribe(channel):
                self.channels.discard(channel)
                self.send(frame(Unsubscribed(channel, epoch_ms())))
            case ClientPing():
                self.send(frame(Pong(epoch_ms())))
            case ClientPong():
                self._ponged.set()

    def _complain(self, code: ErrorCode, message: str) -> None:
        self.send(frame(Error(code, message, epoch_ms())))

    async def _ping(self) -> None:
        while True:
            await trio.sleep(self._settings.ping_interval or inf)
            self._ponged = trio.Event()
            self._outbox.put_first(frame(Ping(epoch_ms())))
            with trio.move_on_after(self._settings.pong_timeout or inf) as patience:
                await self._ponged.wait()
            if patience.cancelled_caught:
                self.close(CloseCode.POLICY, "pong timeout")
                return
