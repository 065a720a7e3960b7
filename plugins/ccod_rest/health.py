"""/health and /health/ready"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from ccod import Health, Observatory, Progress, Reason, ServiceHealth, __version__
from ccod_http.web import Problem, Routes, epoch_ms, iso, sees_here

Word = Literal["healthy", "degraded", "unhealthy"]

_BEST_FIRST: list[Word] = ["healthy", "degraded", "unhealthy"]
_WORDS: dict[str, Word] = {"starting": "healthy", "running": "healthy", "stopped": "unhealthy"}


class Services(Struct, rename="camel"):
    database: Word
    file_monitor: Word
    websocket: Word


class ReasonJson(Struct, rename="camel"):
    """Why a service is not well, or what to know of one that is: `code` never changes, `fix` says what mends it."""

    service: str
    code: str
    text: str
    fix: str


class BackfillJson(Struct, rename="camel"):
    """How much of the history that was there before is stored, in bytes."""

    state: Literal["running", "done"]
    done: int
    total: int


class MemoryJson(Struct, rename="camel"):
    """What the process holds of the machine's memory, and held at most, in bytes."""

    rss: int
    peak: int


class Details(Struct, rename="camel"):
    services: dict[str, ServiceHealth]
    reasons: list[ReasonJson]
    warnings: list[ReasonJson]
    backfill: BackfillJson
    tasks: dict[str, Progress]
    memory: MemoryJson


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
        """Tell that all parts run and the storage can write; 503 while one does not.

        A part that only does less than it should, such as a watcher that has to scan, makes `/health` say `degraded`,
        and is no reason to send nobody here.
        """
        if not health.ready:
            raise Problem(503, "NOT_READY", "A service is not well.", _health_json(health))
        return _health_json(health)

    return routes


def _health_json(health: Health) -> HealthJson:
    """Return the health of all; who does not see this machine is not told why, which can name paths."""
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
        details=_details(health) if sees_here() else UNSET,
    )


def _details(health: Health) -> Details:
    progress = health.progress
    return Details(
        services=health.services,
        reasons=_reasons(health.reasons),
        warnings=_reasons(health.warnings),
        backfill=BackfillJson("running" if progress.done < progress.total else "done", progress.done, progress.total),
        tasks=health.tasks,
        memory=_memory(),
    )


def _reasons(told: Iterable[tuple[str, Reason]]) -> list[ReasonJson]:
    return [ReasonJson(service, reason.code, reason.text, reason.fix) for service, reason in told]


def _memory() -> MemoryJson:
    """Only Linux tells what is held now; elsewhere that is the most there was."""
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except OSError:
        return MemoryJson(peak, peak)
    rss = pages * resource.getpagesize()
    return MemoryJson(rss, max(rss, peak))  # the kernel brings the peak up to date later


def _worst(words: Iterable[Word]) -> Word:
    return max(words, key=_BEST_FIRST.index, default="unhealthy")
