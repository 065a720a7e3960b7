"""Keeps services running: one that raises is restarted alone, after a pause that grows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Protocol

import structlog
import trio

from ccod.errors import CcodError
from ccod.health import Health, Reason
from ccod.metrics import Metrics, plugin_errors

PAUSE_SECONDS = (1.0, 60.0)
RESTARTING_FIX = "it is started again by itself; where it goes on failing, the log says why"

log = structlog.get_logger("ccod.supervisor")


class Run(Protocol):
    """A service's `run`."""

    def __call__(self, *, task_status: trio.TaskStatus[None]) -> Awaitable[None]: ...


class StartError(CcodError):
    """A service failed before it was ready."""


class Supervisor:
    """Starts services of one role, such as `source`, in a nursery of their own."""

    def __init__(self, role: str, nursery: trio.Nursery, health: Health, metrics: Metrics) -> None:
        self._role = role
        self._nursery = nursery
        self._health = health
        self._errors = plugin_errors(metrics)

    async def start(self, name: str, run: Run) -> None:
        """Start a service and wait until it is ready. Raises StartError when it fails before that."""
        self._errors.labels(name)
        await self._nursery.start(self._keep, name, run)

    def finish(self, grace: float) -> None:
        """Let the services end by themselves, and cancel those that have not after `grace` seconds."""
        self._nursery.cancel_scope.deadline = trio.current_time() + grace

    def cancel(self) -> None:
        self._nursery.cancel_scope.cancel()

    async def _keep(self, name: str, run: Run, *, task_status: trio.TaskStatus[None]) -> None:
        service = f"{self._role} {name}"
        ready = False
        pause = PAUSE_SECONDS[0]
        self._health.set(service, "starting")
        while True:
            began = trio.current_time()
            try:
                async with trio.open_nursery() as nursery:
                    await nursery.start(run)
                    self._health.set(service, "running")
                    if not ready:
                        ready = True
                        task_status.started()
            except Exception as error:
                if not ready:
                    raise _start_error(service, error) from error
                if trio.current_time() - began > PAUSE_SECONDS[1]:
                    pause = PAUSE_SECONDS[0]
                self._errors.labels(name).inc()
                self._health.set(service, "restarting", Reason("SERVICE_RESTARTING", one_line(error), RESTARTING_FIX))
                log.error("service failed", service=service, reason=one_line(error), retry_seconds=pause)
                await trio.sleep(pause)
                pause = min(2 * pause, PAUSE_SECONDS[1])
            else:
                self._health.set(service, "stopped", Reason("SERVICE_STOPPED", "it ended by itself", "restart ccod"))
                return


def one_line(error: BaseException) -> str:
    """Tell one error, or a group of them, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = str(error) if isinstance(error, CcodError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _start_error(service: str, error: Exception) -> CcodError:
    cause: BaseException = error
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    return cause if isinstance(cause, CcodError) else StartError(f"{service} could not start: {one_line(cause)}")


@asynccontextmanager
async def open_supervisor(role: str, health: Health, metrics: Metrics | None = None) -> AsyncIterator[Supervisor]:
    """Supervise services until the body is left; what still runs then is cancelled, unless `finish` gave it time."""
    async with trio.open_nursery() as nursery:
        supervisor = Supervisor(role, nursery, health, metrics or Metrics())
        yield supervisor
        if nursery.cancel_scope.deadline == float("inf"):
            supervisor.cancel()
