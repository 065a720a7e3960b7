"""What runs beside the route: it feeds the hub, and lets all clients go when the daemon stops."""

from __future__ import annotations

import trio

from ccod import Observatory
from ccod_ws.feed import Feed
from ccod_ws.hub import Hub
from ccod_ws.vitals import tell_health


class WsTransport:
    name = "ws"

    def __init__(self, hub: Hub, observatory: Observatory) -> None:
        self._hub = hub
        self._observatory = observatory
        self._feed = Feed(hub, observatory)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Serve until the daemon stops. See `ccod.Transport`."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._feed.run)
            nursery.start_soon(self._hub.watch)
            nursery.start_soon(tell_health, self._hub, self._observatory.health)
            task_status.started()
            await self._observatory.stopping.wait()
            await self._hub.shut()
            nursery.cancel_scope.cancel()
