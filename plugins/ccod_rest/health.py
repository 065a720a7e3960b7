"""/health"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from ccod import Health, Observatory, Progress, ServiceHealth, __version__
from ccod_http.web import Problem, Routes, current_user, epoch_ms, iso

Word = Literal["healthy", "degraded", "unhealthy"]

_BEST_FIRST: list[Word] = ["healthy", "degraded", "unhealthy"]
_WORDS: dict[str, Word] = {"starting": "healthy", "running": "healthy", "stopped": "unhealthy"}


class Services(Struct, rename="camel"):
    database: Word
    file_monitor: Word
    websocket: Word


class Details(Struct, rename="camel"):
    services: dict[str, ServiceHealth]
    backfill: Progress
    tasks: dict[str, Progress]


class HealthJson(Struct, rename="camel"):
    status: Word
    timestamp: str
    uptime: float
    version: str
    services: Services
    details: Details | UnsetType = UNSET


EXAMPLE = HealthJson(
    status="healthy",
    timestamp="2023-01-01T00:00:00.000Z",
    uptime=3600.0,
    version="1.0.0",
    services=Services("healthy", "healthy", "healthy"),
)


def health_routes(observatory: Observatory) -> Routes:
    routes = Routes("health", __name__, url_prefix="/health")
    health = observatory.health

    @routes.get("", access="public", pace="any", example=EXAMPLE)
    async def alive() -> HealthJson:
        """Tell that the daemon runs, and how its parts are."""
        return _health_json(health)

    @routes.get("/ready", access="public", pace="any", errors=[503])
    async def ready() -> HealthJson:
        """Tell that all parts are well; 503 while one is not."""
        if not health.well:
            raise Problem(503, "NOT_READY", "A service is not well.", _health_json(health))
        return _health_json(health)

    return routes


def _health_json(health: Health) -> HealthJson:
    """Return the health of all; strangers are not told why, which can name paths."""
    states = {name: _WORDS.get(service.state, "degraded") for name, service in health.services.items()}
    services = Services(
        database=_worst(word for name, word in states.items() if name == "storage"),
        file_monitor=_worst(word for name, word in states.items() if name.startswith("source ")),
        websocket=_worst(word for name, word in states.items() if name == "transport ws"),
    )
    return HealthJson(
        status=_worst(states.values()),
        timestamp=iso(epoch_ms()),
        uptime=round(health.uptime, 3),
        version=__version__,
        services=services,
        details=Details(health.services, health.progress, health.tasks) if current_user() else UNSET,
    )


def _worst(words: Iterable[Word]) -> Word:
    return max(words, key=_BEST_FIRST.index, default="unhealthy")
