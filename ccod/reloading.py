"""Reads the settings again while the daemon runs, and applies what can be applied."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from operator import attrgetter

import structlog
import trio
from msgspec import Struct

from ccod import log
from ccod.errors import CcodError
from ccod.notify import notify
from ccod.settings import CoreSettings, Reloaded, Settings, fields

logger = structlog.get_logger("ccod.reload")


class Reloader:
    """Call it to reload. Raises CcodError, and changes nothing, when what it reads is wrong."""

    def __init__(self, settings: Settings, schemas: Mapping[str, type[Struct]], read: Callable[[], Settings]) -> None:
        """`settings` are those in use; `schemas` the classes of the plugins' tables; `read` reads all anew."""
        self._settings = settings
        self._schemas = schemas
        self._read = read
        self._lock = trio.Lock()

    async def __call__(self) -> Reloaded:
        async with self._lock:
            notify("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")
            try:
                return self._apply(await trio.to_thread.run_sync(self._read))
            except CcodError as error:
                logger.error("settings are wrong; those in use stay", reason=str(error))
                notify(f"STATUS=serving; settings not reloaded: {error}")
                raise
            finally:
                notify("READY=1")

    def _apply(self, read: Settings) -> Reloaded:
        logged = self._settings.core.log
        before = type(logged)(logged.level, logged.levels, logged.format)
        reloaded = take_over(self._settings, read, self._schemas)
        log.set_levels(logged, before)
        logger.info("settings reloaded", applied=reloaded.applied, after_restart=reloaded.restart)
        notify(f"STATUS=serving{'; to be restarted for ' if reloaded.restart else ''}{', '.join(reloaded.restart)}")
        return reloaded


def take_over(used: Settings, read: Settings, schemas: Mapping[str, type[Struct]]) -> Reloaded:
    """Put live settings of `read` into the objects of `used`, which everybody has; tell what is not live."""
    reloaded = Reloaded([], [])
    tables: list[tuple[tuple[str, ...], type[Struct], Struct, Struct]] = [((), CoreSettings, used.core, read.core)]
    tables += (((table,), schema, used[schema], read[schema]) for table, schema in schemas.items())
    for table, schema, old, new in tables:
        for field in fields(schema, table):
            path = field.path[len(table) :]
            get = attrgetter(".".join(path))
            if get(old) == get(new):
                continue
            name = ".".join(field.path)
            if field.live:
                owner = attrgetter(".".join(path[:-1]))(old) if path[:-1] else old
                setattr(owner, path[-1], get(new))
                reloaded.applied.append(name)
            else:
                reloaded.restart.append(name)
    return reloaded
