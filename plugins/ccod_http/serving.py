"""Serves an application on sockets that are bound already."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from typing import Any

import trio
from hypercorn.trio import serve
from hypercorn.utils import repr_socket_addr

from ccod import UnavailableError
from ccod_http.crowd import Crowd
from ccod_http.guards import GuardedConfig, install
from ccod_http.settings import LimitSettings


class Server:
    """Serves until the observatory stops, and a little longer for what is under way."""

    def __init__(
        self, app: Any, limits: LimitSettings, stopping: trio.Event, context: ssl.SSLContext | None = None
    ) -> None:
        """`app` is an ASGI application. With a `context` it is served by HTTPS over TCP."""
        install()
        self._app = app
        self._limits = limits
        self._stopping = stopping
        self._context = context

    async def run(
        self, sockets: Sequence[socket.socket], unix: Sequence[socket.socket] = (), *, task_status: trio.TaskStatus[Any]
    ) -> None:
        config = GuardedConfig(Crowd(self._limits.connections, self._limits.connections_per_address), self._context)
        config.insecure_bind = [f"fd://{sock.detach()}" for sock in unix]
        config.bind = [f"fd://{sock.detach()}" for sock in sockets]
        if not self._context:
            config.bind += config.insecure_bind
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._cut_off, config)
            await serve(self._app, config, shutdown_trigger=self._stopping.wait, task_status=task_status)
            if not self._stopping.is_set():
                raise UnavailableError("the server ended by itself")  # to be started again, and told of
            nursery.cancel_scope.cancel()

    async def _cut_off(self, config: GuardedConfig) -> None:
        """Cut what outlives the grace, or the server itself: no cancellation reaches a stuck write."""
        try:
            await self._stopping.wait()
            await trio.sleep(config.graceful_timeout)
        finally:
            config.abort_all()


def name_of(sock: socket.socket) -> str:
    return repr_socket_addr(sock.family, sock.getsockname()).removeprefix("unix:")


def url_of(sockets: Sequence[socket.socket], scheme: str = "http") -> str:
    """Return where a browser finds these TCP sockets."""
    if not sockets:
        return ""
    host = "localhost" if len(sockets) > 1 else name_of(sockets[0]).rpartition(":")[0]
    return f"{scheme}://{host}:{sockets[0].getsockname()[1]}"
