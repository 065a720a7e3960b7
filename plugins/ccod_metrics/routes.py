"""The one route."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import trio
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from quart import Response, request

from ccod_http.web import Routes, current_user
from ccod_metrics.archive import Archive

OPENMETRICS = "application/openmetrics-text"
PLAIN = "text/plain"


class Collected(Collector):
    """Figures that were collected already."""

    def __init__(self, figures: Sequence[Metric]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        return self._figures


def metrics_routes(registry: CollectorRegistry, archive: Archive) -> Routes:
    routes = Routes("metrics", __name__)

    @routes.get("/metrics", access="read", media=[PLAIN, OPENMETRICS])
    async def metrics() -> Response:
        """Show all figures: as Prometheus text 0.0.4, or as OpenMetrics 1.0 to whoever likes that better.

        What the archive amounts to is only for who sees all of it.
        """
        user = current_user()
        if user is not None and user.machines is None:
            await archive.refresh()
            figures = Collected([*await _collected(registry), *archive.collect()])
        else:
            figures = Collected(await _collected(registry))
        write, content_type = _writer()
        return Response(await trio.to_thread.run_sync(write, figures), content_type=content_type)

    return routes


async def _collected(registry: CollectorRegistry) -> Sequence[Metric]:
    """Read all figures here, in trio's thread, for they are read from what lives there; let others in in between."""
    figures = []
    for figure in registry.collect():
        figures.append(figure)
        await trio.lowlevel.checkpoint()
    return figures


def _writer() -> tuple[Callable[[Collector], bytes], str]:
    accepted: dict[str, float] = {}
    for value, quality in request.accept_mimetypes:
        kind = value.partition(";")[0].strip().lower()
        accepted[kind] = max(quality, accepted.get(kind, 0))
    if accepted.get(OPENMETRICS, 0) > accepted.get(PLAIN, 0):
        return openmetrics.generate_latest, openmetrics.CONTENT_TYPE_LATEST
    return generate_latest, CONTENT_TYPE_PLAIN_0_0_4
