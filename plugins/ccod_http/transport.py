"""Runs the server."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import structlog
import trio
from hypercorn.trio import serve
from hypercorn.utils import repr_socket_addr

from ccod import Observatory, Settings, UnavailableError
from ccod_http.app import build_app
from ccod_http.crowd import Crowd
from ccod_http.guards import GuardedConfig, install
from ccod_http.inherited import inherited_sockets
from ccod_http.requestlog import RequestLog
from ccod_http.serving import served_by
from ccod_http.settings import HttpSettings
from ccod_http.sockets import open_sockets
from ccod_http.tls import server_context
from ccod_http.unixsocket import open_unix_socket

log = structlog.get_logger("ccod.http")


class HttpTransport:
    """Serves until the observatory stops, and a little longer for what is under way."""

    name = "http"

    def __init__(self, settings: Settings, observatory: Observatory) -> None:
        self._settings = settings[HttpSettings]
        self._stopping = observatory.stopping
        self._tls = server_context(self._settings.certfile, self._settings.keyfile)
        install()
        app = build_app(settings, observatory)
        self._served = served_by(app)
        self._app = RequestLog(app)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        handed = inherited_sockets()
        sockets = [sock for sock in handed if sock.family != socket.AF_UNIX]
        plain = [sock for sock in handed if sock.family == socket.AF_UNIX]
        if not handed:
            sockets = open_sockets(self._settings.host, self._settings.port)
        limits = self._settings.limits
        config = GuardedConfig(Crowd(limits.connections, limits.connections_per_address), self._tls)
        with ExitStack() as stack:
            if self._settings.socket and not plain:
                plain.append(stack.enter_context(open_unix_socket(self._settings.socket)))
            bound = [_name(sock) for sock in (*sockets, *plain)]
            url = _url(sockets, "https" if self._tls else "http")
            self._served[:] = filter(None, [url, *map(_name, plain)])
            config.insecure_bind = [f"fd://{sock.detach()}" for sock in plain]
            config.bind = [f"fd://{sock.detach()}" for sock in sockets]
            if not self._tls:
                config.bind += config.insecure_bind
            async with trio.open_nursery() as nursery:
                await nursery.start(self._serve, config)
                log.info("listening", url=url, addresses=bound)
                task_status.started()

    async def _serve(self, config: GuardedConfig, *, task_status: trio.TaskStatus[list[str]]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._cut_off, config)
            app: Any = self._app
            await serve(app, config, shutdown_trigger=self._stopping.wait, task_status=task_status)
            if not self._stopping.is_set():
                raise UnavailableError("the server ended by itself")  # to be started again, and told of
            nursery.cancel_scope.cancel()

    async def _cut_off(self, config: GuardedConfig) -> None:
        """Cut what outlives the grace, or the transport itself: no cancellation reaches a stuck write."""
        try:
            await self._stopping.wait()
            await trio.sleep(config.graceful_timeout)
        finally:
            config.abort_all()


def _name(sock: socket.socket) -> str:
    return repr_socket_addr(sock.family, sock.getsockname()).removeprefix("unix:")


def _url(sockets: Sequence[socket.socket], scheme: str) -> str:
    """Return where a browser finds these TCP sockets."""
    if not sockets:
        return ""
    host = "localhost" if len(sockets) > 1 else _name(sockets[0]).rpartition(":")[0]
    return f"{scheme}://{host}:{sockets[0].getsockname()[1]}"
