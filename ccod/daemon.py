"""Opens the house in order and closes it in reverse: the indentation is the order."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial

import structlog
import trio

from ccod.bus import Bus
from ccod.health import Health
from ccod.manager import Manager
from ccod.notify import keep_watchdog_fed, notify
from ccod.observatory import Observatory
from ccod.pipeline import Pipeline
from ccod.settings import Settings
from ccod.supervisor import open_supervisor

GRACE_SECONDS = 3.0
SWITCH_INTERVAL_SECONDS = 0.0005  # parsing in a worker thread delays the event loop by no more than this

log = structlog.get_logger("ccod.daemon")


async def serve(manager: Manager, settings: Settings, show: Callable[[Health], object] | None = None) -> None:
    """Run until SIGTERM or SIGINT; a second one, or one before READY, ends at once. `show` is called often."""
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async with trio.open_nursery() as nursery:
            ready, stop = trio.Event(), trio.Event()
            nursery.start_soon(_obey, signals, ready, stop, nursery.cancel_scope)
            await _live(manager, settings, ready, stop, show)
            nursery.cancel_scope.cancel()
    log.info("stopped")


async def _obey(signals: AsyncIterator[int], ready: trio.Event, stop: trio.Event, everything: trio.CancelScope) -> None:
    async for number in signals:
        if number == signal.SIGHUP:
            log.info("settings are read at start: restart to apply changes")
        elif stop.is_set() or not ready.is_set():
            everything.cancel()
        else:
            log.info("stopping", signal=signal.Signals(number).name)
            notify("STOPPING=1")
            stop.set()


async def _live(
    manager: Manager,
    settings: Settings,
    ready: trio.Event,
    stop: trio.Event,
    show: Callable[[Health], object] | None,
) -> None:
    health, bus, stopping = Health(), Bus(), trio.Event()
    parsers = manager.parsers(settings)
    async with (
        manager.storage(settings, parsers) as storage,
        manager.auth(settings, storage) as auth,
        manager.cache(settings) as cache,
    ):
        health.set("storage", "running")
        pipeline = Pipeline(parsers, storage, bus, health)
        sources = manager.sources(settings)
        roots = [root for source in sources for root in source.roots]
        observatory = Observatory(
            storage,
            auth,
            bus,
            health,
            parsers,
            stopping,
            manager.ask,
            pipeline.change,
            roots,
            manager.redactor(settings),
            cache,
            manager.plugins,
        )
        async with open_supervisor("transport", health) as transports:
            for transport in manager.transports(settings, observatory):
                await transports.start(transport.name, transport.run)
            async with (
                trio.open_nursery() as nursery,
                open_supervisor("upkeep", health) as upkeep,
                open_supervisor("source", health) as readers,
            ):
                await nursery.start(pipeline.run)
                nursery.start_soon(keep_watchdog_fed)
                for source in sources:
                    await readers.start(source.name, partial(source.run, pipeline.intake(source.name)))
                await upkeep.start("storage", pipeline.maintain)
                if show:
                    nursery.start_soon(_show_backfill, health, show)
                ready.set()
                notify("READY=1", "STATUS=serving")
                log.info("ready", seconds=round(health.uptime, 2))
                await stop.wait()
                nursery.cancel_scope.cancel()
            stopping.set()
            transports.finish(GRACE_SECONDS)


async def _show_backfill(health: Health, show: Callable[[Health], object]) -> None:
    while True:
        show(health)
        await trio.sleep(0.2)
