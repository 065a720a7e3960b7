"""Serves the figures."""

from __future__ import annotations

import trio
from prometheus_client import ProcessCollector

from ccod import Observatory
from ccod_http.port import OwnPort
from ccod_metrics.archive import Archive
from ccod_metrics.routes import metrics_routes
from ccod_metrics.settings import MetricsSettings


class MetricsTransport:
    """`/metrics`, on a port of its own."""

    name = "metrics"

    def __init__(self, settings: MetricsSettings, observatory: Observatory) -> None:
        registry = observatory.metrics.registry
        ProcessCollector(registry=registry)
        self._archive = Archive(observatory.storage, observatory.redactor)
        routes = metrics_routes(registry, self._archive)
        self._port = OwnPort("metrics", routes, observatory, port=settings.port, access=settings.access)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._archive.run)
            await self._port.run(task_status=task_status)
            nursery.cancel_scope.cancel()
