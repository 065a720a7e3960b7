"""A WebSocket to the running daemon, through the first of its doors that is open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import trio
from msgspec import Struct
from trio_websocket import ConnectionRejected, HandshakeError, WebSocketConnection, wrap_client_stream

from ccod import UnavailableError
from ccod_http.doors import Door, knock
from ccod_http.web import HttpSettings

CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 1.0
MAX_MESSAGE = 256 * 1024 * 1024

Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


class Refusal(Struct):
    """What is said of a refusal; empty where something else than ccod refuses."""

    detail: str = ""


async def call(http: HttpSettings, path: str, talk: Callable[[WebSocketConnection], Awaitable[None]]) -> None:
    """Talk over a connection until that ends, one way or the other; raise UnavailableError where none comes about."""
    door, sock = await trio.to_thread.run_sync(knock, http, CONNECT_SECONDS, abandon_on_cancel=True)
    sock.setblocking(False)
    plain = trio.SocketStream(trio.socket.from_stdlib_socket(sock))
    stream: Stream = trio.SSLStream(plain, door.tls, https_compatible=True) if door.tls else plain
    try:
        await _converse(stream, door, path, talk)
    except ConnectionRejected as error:
        raise UnavailableError(_refusal(door, error)) from error
    except (HandshakeError, trio.TooSlowError) as error:
        raise UnavailableError(
            f"what answers at {door.name} opens no WebSocket; is it ccod? see [http] port"
        ) from error


async def _converse(
    stream: Stream, door: Door, path: str, talk: Callable[[WebSocketConnection], Awaitable[None]]
) -> None:
    try:
        async with stream, trio.open_nursery() as nursery:
            with trio.fail_after(CONNECT_SECONDS):
                if isinstance(stream, trio.SSLStream):
                    await _prove(stream, door)
                connection = await wrap_client_stream(
                    nursery, stream, door.authority, path, max_message_size=MAX_MESSAGE
                )
            try:
                await talk(connection)
            finally:
                with trio.move_on_after(CLOSE_SECONDS):
                    await connection.aclose()
    except BaseExceptionGroup as group:  # of the talk, or of what trio-websocket does beside it
        raise group.exceptions[0] from None


async def _prove(stream: trio.SSLStream[trio.SocketStream], door: Door) -> None:
    try:
        await stream.do_handshake()
    except trio.BrokenResourceError as error:
        raise door.distrusted(error.__cause__ or error) from error


def _refusal(door: Door, error: ConnectionRejected) -> str:
    try:
        said = msgspec.json.decode(error.body or b"", type=Refusal).detail
    except msgspec.DecodeError:
        said = ""
    return said or f"{door.name} refuses a WebSocket ({error.status_code}); is it ccod's port? see [http] port"
