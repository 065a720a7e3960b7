"""Shows what the daemon measures, and what its archive amounts to, to Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ccod import hookimpl
from ccod_metrics.settings import MetricsSettings

if TYPE_CHECKING:
    from ccod import Observatory, Settings, Transport


@hookimpl
def ccod_settings() -> type[MetricsSettings]:
    return MetricsSettings


@hookimpl
def ccod_transports(settings: Settings, observatory: Observatory) -> Iterable[Transport]:
    mine = settings[MetricsSettings]
    if not mine.enabled:
        return []
    from ccod_metrics.transport import MetricsTransport

    return [MetricsTransport(mine, observatory)]
