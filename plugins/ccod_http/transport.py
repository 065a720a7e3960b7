"""Runs the server."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import structlog
import trio

from ccod import Observatory, Settings
from ccod_http.app import build_app
from ccod_http.inherited import inherited_sockets
from ccod_http.places import served_by
from ccod_http.requestlog import RequestLog
from ccod_http.serving import Server, name_of, url_of
from ccod_http.settings import HttpSettings
from ccod_http.sockets import open_sockets
from ccod_http.tls import server_context
from ccod_http.unixsocket import open_unix_socket

log = structlog.get_logger("ccod.http")


class HttpTransport:
    """Serves every plugin's routes over TCP and on the owner's Unix socket."""

    name = "http"

    def __init__(self, settings: Settings, observatory: Observatory) -> None:
        self._settings = settings[HttpSettings]
        context = server_context(self._settings.certfile, self._settings.keyfile)
        self._scheme = "https" if context else "http"
        app = build_app(settings, observatory)
        self._served = served_by(app)
        logged = RequestLog(app, observatory.metrics)
        self._server = Server(logged, self._settings.limits, observatory.stopping, context)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        handed = inherited_sockets()
        sockets = [sock for sock in handed if sock.family != socket.AF_UNIX]
        unix = [sock for sock in handed if sock.family == socket.AF_UNIX]
        if not handed:
            sockets = open_sockets(self._settings.host, self._settings.port)
        with ExitStack() as stack:
            if self._settings.socket and not unix:
                unix.append(stack.enter_context(open_unix_socket(self._settings.socket)))
            bound = [name_of(sock) for sock in (*sockets, *unix)]
            url = url_of(sockets, self._scheme)
            self._served[:] = filter(None, [url, *map(name_of, unix)])
            async with trio.open_nursery() as nursery:
                await nursery.start(self._server.run, sockets, unix)
                log.info("listening", url=url, addresses=bound)
                task_status.started()
