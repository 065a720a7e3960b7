"""Keeps services running: one that raises is restarted alone, after a pause that grows."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import structlog
import trio

from ccod.errors import CcodError
from ccod.faults import Faults
from ccod.health import Health, Reason
from ccod.limits import LIMITS, apart
from ccod.metrics import Metrics, plugin_errors

PAUSE_SECONDS = (1.0, 60.0)
RESTARTING_FIX = "it is started again by itself; where it goes on failing, the log says why"

log = structlog.get_logger("ccod.supervisor")


class Run(Protocol):
    """A service's `run`."""

    def __call__(self, *, task_status: trio.TaskStatus[None]) -> Awaitable[None]: ...


class StartError(CcodError):
    """A service failed before it was ready."""


@dataclass(frozen=True)
class Service:
    """A service of one role. `maker` is the plugin of others whose it is; `settled`: it is ready, or has failed."""

    role: str
    name: str
    run: Run
    maker: str = ""
    settled: trio.Event = field(default_factory=trio.Event)
    late: trio.Event = field(default_factory=trio.Event)

    @property
    def title(self) -> str:
        return f"{self.role} {self.name}"

    def blamed(self, reason: str) -> str:
        return f"plugin {self.maker!r}: {reason}" if self.maker else reason


class Supervisor:
    """Starts services of one role, such as `source`, in a nursery of their own."""

    def __init__(
        self, role: str, nursery: trio.Nursery, health: Health, metrics: Metrics, faults: Faults | None = None
    ) -> None:
        self._role = role
        self._nursery = nursery
        self._health = health
        self._faults = faults or Faults([])
        self._errors = plugin_errors(metrics)

    async def start(self, name: str, run: Run, maker: str = "") -> None:
        """Start a service and wait until it is ready. Raises StartError when it fails before that.

        That of a `maker`, a plugin of others, is started again then, and waited for no longer than it may take.
        """
        self._errors.labels(name)
        if not maker:
            await self._nursery.start(self._keep, Service(self._role, name, run))
            return
        service = Service(self._role, name, run, maker)
        self._nursery.start_soon(self._keep, service)
        with trio.move_on_after(LIMITS.start) as scope:
            await service.settled.wait()
        if scope.cancelled_caught:
            text = service.blamed(f"it is not ready after {LIMITS.start:g} seconds")
            reason = Reason("SERVICE_NOT_READY", text, f'wait, mend it, or leave it out with disable = ["{maker}"]')
            service.late.set()
            self._health.tell(service.title, [reason])
            self._errors.labels(maker).inc()
            self._remember(service, text)
            log.error("service is not ready; nobody waits for it", service=service.title, reason=text, fix=reason.fix)

    def finish(self, grace: float) -> None:
        """Let the services end by themselves, and cancel those that have not after `grace` seconds."""
        self._nursery.cancel_scope.deadline = trio.current_time() + grace

    def cancel(self) -> None:
        self._nursery.cancel_scope.cancel()

    async def _keep(self, service: Service, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        self._health.set(service.title, "starting")
        self._health.running.add(service.title)
        try:
            await self._keep_on(service, task_status)
        finally:
            self._health.running.discard(service.title)

    async def _keep_on(self, service: Service, task_status: trio.TaskStatus[None]) -> None:
        ready = False
        pause = PAUSE_SECONDS[0]
        while True:
            began = trio.current_time()
            try:
                async with trio.open_nursery() as nursery:
                    await nursery.start(service.run)
                    self._health.set(service.title, "running")
                    if service.late.is_set():
                        self._health.tell(service.title, [])
                    service.settled.set()
                    if not ready:
                        ready = True
                        task_status.started()
            except BaseException as error:
                cancelled, own = apart(error)
                if cancelled is not None or own is None:
                    if own is not None:
                        reason = service.blamed(one_line(own))
                        log.warning("service failed at its end", service=service.title, reason=reason)
                    raise cancelled or error from None
                if not ready and not service.maker:
                    raise _start_error(service.title, error) from error
                service.settled.set()
                if trio.current_time() - began > PAUSE_SECONDS[1]:
                    pause = PAUSE_SECONDS[0]
                self._note_failure(service, error, pause)
                await trio.sleep(pause)
                pause = min(2 * pause, PAUSE_SECONDS[1])
            else:
                text = service.blamed("it ended by itself")
                self._health.set(service.title, "stopped", Reason("SERVICE_STOPPED", text, "restart ccod"))
                if self._nursery.cancel_scope.deadline == math.inf:
                    if service.maker:
                        self._errors.labels(service.maker).inc()
                        self._remember(service, text)
                    log.warning("service ended", service=service.title, reason=text)
                return

    def _note_failure(self, service: Service, error: BaseException, pause: float) -> None:
        reason = service.blamed(one_line(error))
        self._errors.labels(service.name).inc()
        if service.maker not in {"", service.name}:
            self._errors.labels(service.maker).inc()
        self._remember(service, reason)
        self._health.set(service.title, "restarting", Reason("SERVICE_RESTARTING", reason, RESTARTING_FIX))
        log.error("service failed", service=service.title, reason=reason, retry_seconds=pause)

    def _remember(self, service: Service, reason: str) -> None:
        self._faults.remember(service.maker, f"{service.title}: {reason}")


def one_line(error: BaseException) -> str:
    """Tell one error, or a group of them, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = str(error) if isinstance(error, CcodError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _start_error(service: str, error: BaseException) -> CcodError:
    cause: BaseException = error
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    return cause if isinstance(cause, CcodError) else StartError(f"{service} could not start: {one_line(cause)}")


@asynccontextmanager
async def open_supervisor(
    role: str, health: Health, metrics: Metrics | None = None, faults: Faults | None = None
) -> AsyncIterator[Supervisor]:
    """Supervise services until the body is left; what still runs then is cancelled, unless `finish` gave it time."""
    async with trio.open_nursery() as nursery:
        supervisor = Supervisor(role, nursery, health, metrics or Metrics(), faults)
        yield supervisor
        if nursery.cancel_scope.deadline == math.inf:
            supervisor.cancel()
