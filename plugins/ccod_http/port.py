"""A port of one's own: for a plugin whose routes are to be found elsewhere than all others."""

from __future__ import annotations

from typing import Literal

import structlog
import trio

from ccod import Observatory
from ccod_http.app import admit, guarded_app
from ccod_http.routes import Routes
from ccod_http.serving import Server, url_of
from ccod_http.settings import HttpSettings, LimitSettings
from ccod_http.sockets import open_sockets
from ccod_http.table import Table

CONNECTIONS = 64

log = structlog.get_logger("ccod.http")


class OwnPort:
    """Serves some routes on loopback, over plain HTTP, behind the same gate as the HTTP server's.

    It answers to no name but those of loopback, and to no page of another origin. Who may ask without a token is said
    by `access`, as in `[http]`. `table` is the plugin's in the configuration, to name in messages what is to be set.
    """

    def __init__(
        self,
        table: str,
        routes: Routes,
        observatory: Observatory,
        *,
        port: int,
        access: Literal["owner", "loopback", "login"],
    ) -> None:
        self._table = table
        self._port = port
        limits = LimitSettings(connections=CONNECTIONS, connections_per_address=CONNECTIONS)
        mine = HttpSettings(port=port, socket="", cors_origins=[], access=access, limits=limits)
        app = guarded_app(mine)
        admitted = Table(app)
        admitted.add(table, routes)
        remedy = f'[{table}] access = "loopback" lets in all of this machine'
        admit(app, mine, observatory.auth, admitted, remedy)
        self._server = Server(app, limits, observatory.stopping)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        sockets = open_sockets("localhost", self._port, f"[{self._table}] port", f"--set {self._table}.port=N")
        url = url_of(sockets)
        async with trio.open_nursery() as nursery:
            await nursery.start(self._server.run, sockets)
            log.info("listening too", part=self._table, url=url)
            task_status.started()
