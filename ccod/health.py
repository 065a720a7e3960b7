"""How each service of the house is doing, for whoever asks."""

from __future__ import annotations

import time
from typing import Literal

from msgspec import Struct

State = Literal["starting", "running", "restarting", "degraded", "stopped"]


class ServiceHealth(Struct):
    """The state of one service, and in a few words why, where it is not well."""

    state: State = "starting"
    reason: str = ""


class Progress(Struct):
    """How much of a task is done: of a source's backfill in bytes."""

    done: int = 0
    total: int = 0


class Health:
    """Services by role and name, such as `source claude`; counters by name; backfill by source; storage's tasks."""

    def __init__(self) -> None:
        self.started_at = time.monotonic()
        self.services: dict[str, ServiceHealth] = {}
        self.counters: dict[str, int] = {}
        self.backfill: dict[str, Progress] = {}
        self.tasks: dict[str, Progress] = {}

    def set(self, service: str, state: State, reason: str = "") -> None:
        self.services[service] = ServiceHealth(state, reason)

    def count(self, counter: str, by: int = 1) -> None:
        self.counters[counter] = self.counters.get(counter, 0) + by

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started_at

    @property
    def well(self) -> bool:
        return self.unwell == 0

    @property
    def unwell(self) -> int:
        """How many services are neither running nor starting."""
        return sum(service.state not in {"running", "starting"} for service in self.services.values())

    @property
    def progress(self) -> Progress:
        """The backfill of all sources together."""
        parts = self.backfill.values()
        return Progress(sum(part.done for part in parts), sum(part.total for part in parts))
