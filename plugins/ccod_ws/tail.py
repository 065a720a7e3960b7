"""A client of the hub that shows what it hears."""

from __future__ import annotations

from typing import Protocol

import msgspec
import trio
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    HandshakeError,
    WebSocketConnection,
    open_websocket,
)
from wsproto.utilities import LocalProtocolError

from ccod import UnavailableError

CONNECT_SECONDS = 5
CLOSE_SECONDS = 1
MAX_MESSAGE = 256 * 1024 * 1024


class Incoming(msgspec.Struct):
    """A message from the hub, as far as every client must understand it."""

    type: str
    timestamp: int
    data: msgspec.Raw = msgspec.Raw(b"null")
    message: str = ""


class Show(Protocol):
    """Puts broadcasts before a person or a program."""

    @property
    def deadline(self) -> float:
        """When `flush` is due, in trio's time."""

    def broadcast(self, data: msgspec.Raw) -> None: ...

    def flush(self) -> None: ...

    def note(self, text: str) -> None: ...


async def follow(host: str, port: int, show: Show) -> None:
    """Show what the daemon at `host` broadcasts of conversations. Raises UnavailableError once there is none."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        async with open_websocket(
            address,
            port,
            "/ws",
            use_ssl=False,
            max_message_size=MAX_MESSAGE,
            connect_timeout=CONNECT_SECONDS,
            disconnect_timeout=CLOSE_SECONDS,
        ) as connection:
            await connection.send_message('{"type":"subscribe","channel":"conversations"}')
            await _show_all(connection, show)
    except ConnectionRejected as error:
        raise UnavailableError(
            f"{host}:{port} refuses a WebSocket ({error.status_code}); is it ccod's port? see [http] port"
        ) from error
    except HandshakeError as error:
        raise UnavailableError(f"no daemon answers at {host}:{port}; start one with `ccod serve`") from error
    except ConnectionClosed as error:
        reason = (error.reason and error.reason.reason) or "connection lost"
        raise UnavailableError(f"the daemon at {host}:{port} closed the connection: {reason}") from error
    except LocalProtocolError as error:  # trio-websocket answers a ping that comes while it closes
        raise UnavailableError(f"the daemon at {host}:{port} closed the connection") from error
    except msgspec.DecodeError as error:
        raise UnavailableError(f"what answers at {host}:{port} does not speak as ccod does: {error}") from error


async def _show_all(connection: WebSocketConnection, show: Show) -> None:
    while True:
        text: str | bytes | None = None
        with trio.move_on_at(show.deadline):
            text = await connection.get_message()
        if text is None:
            show.flush()
            continue
        incoming = msgspec.json.decode(text, type=Incoming)
        match incoming.type:
            case "broadcast":
                show.broadcast(incoming.data)
            case "ping":
                await connection.send_message(f'{{"type":"pong","timestamp":{incoming.timestamp}}}')
            case "lagged":
                show.note("some messages were missed")
            case "error":
                show.note(incoming.message)
