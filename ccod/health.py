"""How each service of the house is doing and why, for whoever asks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

State = Literal["starting", "running", "restarting", "degraded", "stopped"]

FINE: frozenset[State] = frozenset({"starting", "running"})


class Reason(Struct, frozen=True):
    """Why something is not well: `code` is for programs and never changes, `fix` names what mends it."""

    code: str
    text: str
    fix: str


class ServiceHealth(Struct):
    """The state of one service, and in a few words why, where it is not well."""

    state: State = "starting"
    reason: str = ""


class Progress(Struct):
    """How much of a task is done: of a source's backfill in bytes."""

    done: int = 0
    total: int = 0


class Health:
    """Services by role and name, such as `source claude`; counters by name; backfill by source; storage's tasks.

    A service that runs can say of itself that it does less than it should: it is degraded then, and serves all the
    same. `warnings` are what somebody should know although all is well, by service. `running` are the services whose
    tasks have not ended.
    """

    def __init__(self) -> None:
        self.started_at = time.monotonic()
        self.counters: dict[str, int] = {}
        self.backfill: dict[str, Progress] = {}
        self.tasks: dict[str, Progress] = {}
        self.warnings: list[tuple[str, Reason]] = []
        self.running: set[str] = set()
        self._states: dict[str, tuple[State, Sequence[Reason]]] = {}
        self._told: dict[str, Sequence[Reason]] = {}

    def set(self, service: str, state: State, *reasons: Reason) -> None:
        """Note how a service runs, and why it does not. What it said of itself before it failed holds no more."""
        self._states[service] = state, reasons
        if state not in FINE:
            self._told.pop(service, None)

    def tell(self, service: str, reasons: Sequence[Reason]) -> None:
        """Note what a service that runs says is amiss with what it does; nothing once all is well."""
        self._told[service] = tuple(reasons)

    def count(self, counter: str, by: int = 1) -> None:
        self.counters[counter] = self.counters.get(counter, 0) + by

    @property
    def services(self) -> dict[str, ServiceHealth]:
        return {name: self._service(name) for name in list(self._states)}

    @property
    def reasons(self) -> list[tuple[str, Reason]]:
        """Why services are not well: each with the service that it concerns."""
        return [(name, reason) for name in list(self._states) for reason in self._reasons(name)]

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
        return sum(service.state not in FINE for service in self.services.values())

    @property
    def ready(self) -> bool:
        """Whether all services run, and storage can write; what they may do less than they should does not count."""
        return all(state in FINE for state, _ in self._states.values())

    @property
    def progress(self) -> Progress:
        """The backfill of all sources together."""
        parts = self.backfill.values()
        return Progress(sum(part.done for part in parts), sum(part.total for part in parts))

    def _reasons(self, name: str) -> Sequence[Reason]:
        return [*self._states[name][1], *self._told.get(name, ())]

    def _service(self, name: str) -> ServiceHealth:
        state, reasons = self._states[name][0], self._reasons(name)
        return ServiceHealth(
            "degraded" if state in FINE and reasons else state, "; ".join(reason.text for reason in reasons)
        )
