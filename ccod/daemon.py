"""Opens the house in order and closes it in reverse: the indentation is the order."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
import trio

from ccod import heaps, vitals
from ccod.bus import Bus
from ccod.dump import note_alive
from ccod.errors import CcodError
from ccod.health import Health, Reason
from ccod.lasterrors import keep
from ccod.limits import LIMITS
from ccod.manager import Manager
from ccod.metrics import Metrics
from ccod.notify import keep_watchdog_fed, notify
from ccod.observatory import Observatory
from ccod.past import state_folder
from ccod.pipeline import Pipeline
from ccod.reloading import Reloader
from ccod.roles import Source, Storage
from ccod.settings import Settings
from ccod.sinks import Delivery
from ccod.supervisor import open_supervisor
from ccod.timing import timed
from ccod.watchdog import Watchdog

GRACE_SECONDS = 3.0
SWITCH_INTERVAL_SECONDS = 0.0005  # parsing in a worker thread delays the event loop by no more than this

FAULT_FIX = "update it when your system offers a newer one; until then let nothing but ccod write to its database"

log = structlog.get_logger("ccod.daemon")


@dataclass(frozen=True)
class Life:
    """What signals do to the daemon."""

    reload: Reloader
    health: Health
    ready: trio.Event = field(default_factory=trio.Event)
    stop: trio.Event = field(default_factory=trio.Event)


class Roots(Sequence[str]):
    """The folders that sources read at the moment."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def __len__(self) -> int:
        return len(self._all())

    def __getitem__(self, index: Any) -> Any:
        return self._all()[index]

    def _all(self) -> list[str]:
        """Return what the sources say; one that says nothing sensible has none."""
        found: list[str] = []
        for source in self._sources:
            try:
                found += [str(root) for root in source.roots]
            except Exception as error:
                log.error("source does not say what it reads", source=source.name, exc_info=error)
        return found


async def serve(
    manager: Manager, settings: Settings, show: Callable[[Health], object], read_again: Callable[[], Settings]
) -> None:
    """Run until SIGTERM or SIGINT; a second one, or one before READY, ends at once.

    `show` is called often; `read_again` reads the settings on SIGHUP.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    heaps.share()
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async with trio.open_nursery() as nursery:
            life = Life(Reloader(settings, manager.schemas(), read_again), Health())
            nursery.start_soon(_obey, signals, life, nursery)
            watchdog = Watchdog(manager.calls, state_folder())
            async with watchdog.watching():
                nursery.start_soon(_watch_closely, watchdog, life)
                await _live(manager, settings, life, show)
            nursery.cancel_scope.cancel()
    log.info("stopped")


async def _obey(signals: AsyncIterator[int], life: Life, nursery: trio.Nursery) -> None:
    async for number in signals:
        if number == signal.SIGHUP:
            nursery.start_soon(_reload, life)
        elif life.stop.is_set() or not life.ready.is_set():
            nursery.cancel_scope.cancel()
        else:
            log.info("stopping", signal=signal.Signals(number).name)
            notify("STOPPING=1")
            life.stop.set()
            nursery.start_soon(_stop_anyway, life)


async def _watch_closely(watchdog: Watchdog, life: Life) -> None:
    await life.ready.wait()
    watchdog.ready = True


async def _stop_anyway(life: Life) -> None:
    """End the process although a service swallows its cancellation. What storage has not begun is read again."""
    await trio.sleep(LIMITS.stop)
    log.error("services do not end; the process does", services=sorted(life.health.running))
    os._exit(1)


async def _reload(life: Life) -> None:
    await life.ready.wait()
    if not life.stop.is_set():
        with suppress(CcodError):  # the log tells
            await life.reload()


async def _live(manager: Manager, settings: Settings, life: Life, show: Callable[[Health], object]) -> None:
    health, bus, stopping = life.health, Bus(), trio.Event()
    metrics = Metrics()
    manager.observe(health, metrics)
    for plugin, problem in manager.deprecated():
        log.warning("plugin_deprecated", plugin=plugin, problem=problem)
    parsers = manager.parsers(settings)
    async with (
        timed(manager.storage(settings, parsers), metrics) as storage,
        manager.auth(settings, storage) as auth,
        manager.cache(settings) as cache,
    ):
        health.set("storage", "running")
        await _warn_of_storage(storage, health)
        pipeline = Pipeline(parsers, storage, bus, health, metrics, fault=manager.note_parser)
        vitals.show(metrics, health, bus, pipeline.turn)
        sources = manager.sources(settings, metrics)
        observatory = Observatory(
            storage,
            auth,
            bus,
            health,
            parsers,
            stopping,
            manager.ask,
            pipeline.change,
            Roots(sources),
            manager.redactor(settings),
            cache,
            manager.plugins,
            life.reload,
            metrics,
            manager.faults,
        )
        async with open_supervisor("transport", health, metrics, manager.faults) as transports:
            for transport in manager.transports(settings, observatory):
                await transports.start(transport.name, transport.run, manager.maker_of(transport))
            async with (
                trio.open_nursery() as nursery,
                open_supervisor("upkeep", health, metrics, manager.faults) as upkeep,
                open_supervisor("sink", health, metrics, manager.faults) as receivers,
                open_supervisor("source", health, metrics, manager.faults) as readers,
            ):
                await nursery.start(pipeline.run)
                nursery.start_soon(keep_watchdog_fed, partial(_is_well, pipeline))
                for sink in manager.sinks(settings, observatory):
                    await receivers.start(sink.name, Delivery(sink, storage, bus).run, manager.maker_of(sink))
                for source in sources:
                    maker = manager.maker_of(source)
                    await readers.start(source.name, partial(source.run, pipeline.intake(source.name, maker)), maker)
                keeper = settings.core.storage
                await upkeep.start("storage", pipeline.maintain, keeper if manager.faults.is_stranger(keeper) else "")
                nursery.start_soon(cache.keep_asking)
                nursery.start_soon(_show_backfill, health, show)
                nursery.start_soon(keep, manager.plugins, state_folder())
                life.ready.set()
                gc.freeze()
                gc.enable()
                notify("READY=1", "STATUS=serving")
                log.info("ready", seconds=round(health.uptime, 2))
                await life.stop.wait()
                nursery.cancel_scope.cancel()
            stopping.set()
            transports.finish(GRACE_SECONDS)


def _is_well(pipeline: Pipeline) -> bool:
    is_well = pipeline.silence < LIMITS.storage
    note_alive(is_well=is_well)
    return is_well


async def _warn_of_storage(storage: Storage, health: Health) -> None:
    """A known fault of the engine is a warning and not a state: nothing is amiss, and no restart would mend it."""
    facts = await storage.facts()
    for fault in facts.faults:
        text = f"{facts.engine} {facts.version} has a known fault: {fault}"
        health.warnings.append(("storage", Reason("ENGINE_AFFECTED", text, FAULT_FIX)))


async def _show_backfill(health: Health, show: Callable[[Health], object]) -> None:
    while True:
        show(health)
        await trio.sleep(0.2)
