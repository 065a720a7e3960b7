"""Makes Hypercorn safe for a daemon: with `socketguards`, the one place that knows its insides.

Each class replaces one of Hypercorn's and says which faults it closes; `install` puts them in place.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import math
import os
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import structlog
import trio

from ccod import PluginError
from ccod_http.crowd import Crowd
from ccod_http.refusals import error_answer
from ccod_http.soundness import MAX_HEADERS, fault, is_sound_upgrade, is_upgrade
from ccod_http.unixsocket import peer_uid


def unfit(problem: object) -> PluginError:
    """Return the error that tells of a Hypercorn whose insides are others than those known here."""
    version = importlib.metadata.version("hypercorn")
    return PluginError("http", f"Hypercorn {version} does not fit ({problem}); install hypercorn 0.18.0")


try:
    import h11
    from hypercorn.config import Config
    from hypercorn.events import Closed, Event, RawData, Updated
    from hypercorn.protocol.h11 import H11Protocol
    from hypercorn.trio.tcp_server import TCPServer

    from ccod_http.socketguards import MAX_MESSAGE, GuardedBuffer, GuardedWebSocket, MessageDeflate
except ImportError as missing:
    raise unfit(missing) from missing

PART_BYTES = 64 * 1024
"""What is written at once: a peer that takes so much in time reads."""

_TLS_HANDSHAKE = b"\x16"
"""The first byte of whoever speaks TLS; no HTTP begins with it."""

_REFUSAL_SECONDS = 0.2
_TELL_SECONDS = 60.0

log = structlog.get_logger("ccod.http")

_server_log = logging.getLogger("ccod.http.hypercorn")
_server_log.setLevel(logging.WARNING)


class GuardedConfig(Config):
    """Hypercorn's configuration, and the connections that are open under it."""

    accesslog = None
    errorlog = _server_log
    include_server_header = False
    graceful_timeout = 2.0
    keep_alive_timeout = 10.0
    ssl_handshake_timeout = 10.0
    h11_max_incomplete_size = MAX_HEADERS
    websocket_max_message_size = MAX_MESSAGE
    write_seconds = 30.0
    linger_seconds = 1.0

    def __init__(self, crowd: Crowd, context: ssl.SSLContext | None = None) -> None:
        """`context` serves HTTPS on `bind`; `insecure_bind` is served without it."""
        self.connections: set[GuardedServer] = set()
        self.crowd = crowd
        self._context = context

    @property
    def ssl_enabled(self) -> bool:
        return self._context is not None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        return self._context

    def abort_all(self) -> None:
        for connection in list(self.connections):
            connection.abort()


class RefusedError(Exception):
    """The connection has had its error answer; nothing more is read from it."""


class GuardedServer(TCPServer):
    """One connection, which neither takes others down with it nor stays open for a peer that reads nothing."""

    config: GuardedConfig
    has_gone = False
    stream: Any  # of trio.SSLStream, or of trio.SocketStream where there is no TLS
    sent = 0
    """Bytes that the peer's kernel or ours has taken."""
    _writing_since = math.inf

    @property
    def stalled(self) -> float:
        """For how many seconds the peer has taken nothing of what waits for it."""
        return max(0.0, trio.current_time() - self._writing_since)

    async def run(self) -> None:
        """Hypercorn lets an exception of one connection end the whole server (its issue 225).

        It also loses that its nursery has dealt with a cancellation: that then ends the server, without a word. So a
        connection is cancelled from outside of it, by the scope of its life.
        """
        self._life = trio.CancelScope()
        self.config.connections.add(self)
        try:
            with self._admitted() as admitted:
                if admitted and await self._is_greeted():
                    self.state = {**self.state, "connection": self._known()}
                    with self._life:
                        await super().run()
                else:
                    await self._turn_away(admitted)
        except* RefusedError:
            pass
        except* Exception as group:  # noqa: BLE001
            log.warning("connection failed", error=_innermost(group))
        finally:
            self.config.connections.discard(self)

    @property
    def _transport(self) -> trio.SocketStream:
        """The stream below TLS, where there is TLS."""
        transport: trio.SocketStream = getattr(self.stream, "transport_stream", self.stream)
        return transport

    @contextmanager
    def _admitted(self) -> Iterator[bool]:
        """Hypercorn takes as many connections as come. The owner's Unix socket always has room."""
        sock = self._transport.socket
        if sock.family == trio.socket.AF_UNIX:
            yield True
            return
        try:
            address = str(sock.getpeername()[0])
        except OSError:
            yield False  # gone already
            return
        with self.config.crowd.join(address) as has_room:
            yield has_room

    async def _is_greeted(self) -> bool:
        """Wait for the first byte on a port of HTTPS: who speaks plain HTTP there is served so, to be sent on."""
        if self._transport is self.stream:
            return True
        greeting = b""
        with trio.move_on_after(self.config.ssl_handshake_timeout), suppress(OSError):
            greeting = await self._transport.socket.recv(1, trio.socket.MSG_PEEK)
        if greeting != _TLS_HANDSHAKE:
            self.stream = self._transport
        return bool(greeting)

    async def _turn_away(self, admitted: bool) -> None:
        """Close; say why to who is one too many, where it can be said without a handshake."""
        async with self._transport as transport:
            if not admitted and transport is self.stream:
                headers, body = error_answer(503, (b"retry-after", b"5"))
                lines = b"".join(b"%s: %s\r\n" % header for header in headers)
                with suppress(trio.BrokenResourceError):
                    with trio.move_on_after(_REFUSAL_SECONDS):
                        await transport.receive_some()  # what stays unread would make the kernel drop the answer
                    await transport.send_all(b"HTTP/1.1 503 \r\n%s\r\n%s" % (lines, body))

    def _known(self) -> dict[str, Any]:
        """Return what the kernel tells of the peer at once."""
        known: dict[str, Any] = {"link": self}
        sock = self._transport.socket
        if sock.family == trio.socket.AF_UNIX:
            known |= {"unix": True, "uid": peer_uid(self.stream.socket)}
        return known

    async def _read_data(self) -> None:
        """Hypercorn keeps the connection of a peer that has gone until its idle time is over."""
        await super()._read_data()
        self.has_gone = True
        await self.idle_task.stop()

    async def protocol_send(self, event: Event) -> None:
        if isinstance(event, RawData):
            await self._write(event.data)
        elif isinstance(event, Updated) and self.has_gone:
            pass  # it would be idle again
        elif isinstance(event, Closed):
            await self._end()
            await self.protocol.handle(Closed())
        else:
            await super().protocol_send(event)

    async def _write(self, data: bytes) -> None:
        """Hypercorn waits without end, and uncancellably, for a peer that reads nothing."""
        async with self.send_lock:
            taken = self._write_at_once(data)
            self.sent += taken
            if taken == len(data):
                return
            try:
                for part in _parts(memoryview(data)[taken:]):
                    self._writing_since = trio.current_time()
                    with trio.fail_after(self.config.write_seconds, shield=True):
                        await self.stream.send_all(part)
                    self.sent += len(part)
                return
            except trio.TooSlowError:
                self.abort()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
            finally:
                self._writing_since = math.inf
            self._wind_up()  # Hypercorn lets the reader of a next request wait for ever
            await self.protocol.handle(Closed())

    def _write_at_once(self, data: bytes) -> int:
        """Return how many bytes the kernel takes without a wait: mostly all of them, so that no limit is paid for."""
        if self._transport is not self.stream:
            return 0  # TLS has to encrypt it
        try:
            return os.write(self._transport.socket.fileno(), data)
        except OSError:
            return 0  # it is full or broken: writing with a limit tells which

    def _wind_up(self) -> None:
        """Let the connection last only a little longer."""
        self._life.deadline = min(self._life.deadline, trio.current_time() + self.config.linger_seconds)

    async def _end(self) -> None:
        """Hypercorn closes at once, and what the peer still sends then makes the kernel drop our last answer."""
        self._wind_up()
        async with self.send_lock:
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await self._transport.send_eof()

    async def _initiate_server_close(self) -> None:
        """Hypercorn says nothing to who takes too long over its headers."""
        protocol: Any = self.protocol.protocol
        await protocol.tell_late()
        await super()._initiate_server_close()

    def abort(self) -> None:
        """Cut the connection: whatever waits for it wakes up, and the kernel keeps nothing for the peer."""
        with suppress(OSError):
            self._transport.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.socket.shutdown(trio.socket.SHUT_RDWR)


class GuardedH11(H11Protocol):
    """HTTP/1 and nothing else, with errors in the envelope."""

    async def _check_protocol(self, event: h11.Request) -> None:
        """Hypercorn changes to HTTP/2 for whoever asks, dies there of a path that is not ASCII, and bounds nothing."""
        status = fault(event)
        if status is not None:
            await self._refuse(status)

    async def _create_stream(self, request: h11.Request) -> None:
        """Hypercorn dies of an upgrade with a body, with a byte behind it, or with a header that is not ASCII."""
        if is_upgrade(request) and (self.connection.trailing_data[0] or not is_sound_upgrade(request)):
            await self._refuse(400)
        await super()._create_stream(request)

    async def _maybe_recycle(self) -> None:
        """Quart-Trio cancels its task in the middle of this, and the next request on the connection hangs."""
        with trio.CancelScope(shield=True):
            await super()._maybe_recycle()

    async def tell_late(self) -> None:
        """Answer a request whose headers did not come in time, if anything of it came."""
        idle = self.connection.our_state is h11.IDLE
        if idle and self.connection.trailing_data[0] and not self.context.terminated.is_set():
            await self._send_error_response(408)

    async def _refuse(self, status: int) -> None:
        await self._answer(status)
        await self.send(Closed())
        raise RefusedError

    async def _send_error_response(self, status_code: int) -> None:
        """Hypercorn's own errors have no body, and a first line without end is to it a header."""
        is_first_line = status_code == 431 and b"\n" not in self.connection.trailing_data[0]
        await self._answer(414 if is_first_line else status_code)

    async def _answer(self, status_code: int) -> None:
        headers, body = error_answer(status_code)
        headers += self.config.response_headers("h11")
        await self._send_h11_event(h11.Response(status_code=status_code, headers=headers))
        await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())


_REPLACEMENTS = (
    (
        "hypercorn.trio.run",
        "TCPServer",
        GuardedServer,
        ("run", "protocol_send", "_read_data", "_initiate_server_close"),
    ),
    (
        "hypercorn.protocol",
        "H11Protocol",
        GuardedH11,
        ("_check_protocol", "_create_stream", "_maybe_recycle", "_send_h11_event", "_send_error_response"),
    ),
    (
        "hypercorn.protocol.h11",
        "WSStream",
        GuardedWebSocket,
        ("app_send", "handle", "_handle_events", "_send_error_response"),
    ),
    ("hypercorn.protocol.ws_stream", "WebsocketBuffer", GuardedBuffer, ("extend", "clear")),
    ("hypercorn.protocol.ws_stream", "PerMessageDeflate", MessageDeflate, ("frame_inbound_header",)),
)


def install() -> None:
    """Put the guarded classes in the place of Hypercorn's, once; raise PluginError where the place is gone."""
    logging.getLogger("trio.serve_listeners").addFilter(_tell_rarely)
    for path, name, guarded, methods in _REPLACEMENTS:
        module = importlib.import_module(path)
        original = getattr(module, name, None)
        for method in methods:
            if not hasattr(original, method):
                raise unfit(f"{path}.{name} has no {method}")
        setattr(module, name, guarded)


_last_told = -math.inf


def _parts(data: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(data), PART_BYTES):
        yield data[start : start + PART_BYTES]


def _tell_rarely(_record: logging.LogRecord) -> bool:
    """trio tries ten times a second to accept where no file can be opened, and logs each time with a traceback."""
    global _last_told  # noqa: PLW0603
    now = time.monotonic()
    if now - _last_told >= _TELL_SECONDS:
        _last_told = now
        log.error("no connection can be accepted: too many files are open; raise the limit (ulimit -n)")
    return False


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__
