"""What plugins did wrong: told in the log once, in `/health` for as long as it lasts, and counted in the metrics."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

from msgspec import Struct, field

from ccod.errors import CcodError, PluginError
from ccod.health import Health, Reason
from ccod.limits import apart, told
from ccod.metrics import Metrics, plugin_errors

HOLD_SECONDS = 60.0
"""A fault is told of for so long, though the plugin did well meanwhile."""


class Plugin(Struct):
    """What is known of one plugin. `error` is the last thing that it did wrong."""

    name: str
    distribution: str
    version: str
    hooks: list[str] = field(default_factory=list)
    state: Literal["loaded", "disabled", "failed"] = "loaded"
    error: str = ""


class Stranger(Struct, frozen=True):
    """A plugin of somebody else's: its version, or what else changes with it, and the file or folder of its code."""

    name: str
    version: str
    place: str


class Faults:
    """May be told from any thread."""

    def __init__(self, plugins: list[Plugin], clock: Callable[[], float] = time.monotonic) -> None:
        self._plugins = plugins
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], tuple[float, Reason]] = {}
        self._health: Health | None = None
        self._metrics: Metrics | None = None
        self._own: frozenset[str] | None = None

    def contain(self, own: Iterable[str]) -> None:
        """Let all go on without what plugins of others fail at from now on; those of ccod are its `own`."""
        self._own = frozenset(own)

    def is_stranger(self, plugin: str) -> bool:
        """Tell whether a plugin is none of ccod's own, and can fail while all others go on."""
        return self._own is not None and plugin not in self._own

    def blame(self, where: str, error: PluginError) -> None:
        """Note what a plugin did wrong at the start, so that all goes on without it, or raise it: see `contain`."""
        if not self.is_stranger(error.plugin):
            raise error
        self.note(error.plugin, where, str(error))

    def watch(self, health: Health, metrics: Metrics) -> None:
        """Tell it there and in the log from now on, also what was noted before."""
        self._health, self._metrics = health, metrics
        for each in self._plugins:
            plugin_errors(metrics).labels(each.name)  # there from the start, at zero
        with self._lock:
            for (plugin, where), (_, reason) in self._open.items():
                plugin_errors(metrics).labels(plugin).inc()
                self._show(plugin)
                _log(plugin, where, reason)

    def note(self, plugin: str, where: str, text: str, *, code: str = "PLUGIN_FAILED", fix: str = "") -> None:
        """Note that `where` a plugin was asked something it failed."""
        fix = fix or f'mend or update it, or leave it out with disable = ["{plugin}"]'
        with self._lock:
            is_new = (plugin, where) not in self._open
            reason = Reason(code, f"{where}: {text}", fix)
            self._open[plugin, where] = self._clock(), reason
            self.remember(plugin, reason.text)
            if self._metrics is not None:
                plugin_errors(self._metrics).labels(plugin).inc()
            self._show(plugin)
        if is_new and self._health is not None:
            _log(plugin, where, reason)

    def remember(self, plugin: str, text: str) -> None:
        """Keep what a plugin did wrong as the last thing, where somebody else tells of it and counts it."""
        for each in self._plugins:
            if each.name == plugin and each.state != "disabled":
                each.error = text

    @contextmanager
    def noting(self, plugin: str, where: str, *refusals: type[BaseException]) -> Iterator[None]:
        """Note what a plugin raises in the body, and raise a PluginError instead; but for CcodError and `refusals`."""
        try:
            yield
        except BaseException as error:
            cancelled, own = apart(error)
            if cancelled is not None or own is None or isinstance(own, (CcodError, *refusals)):
                raise
            self.note(plugin, where, told(own))
            raise PluginError(plugin, f"{where}: {told(own)}") from error
        self.well(plugin, where)

    def holds(self, plugin: str, where: str) -> bool:
        """Tell whether a fault is told of."""
        return (plugin, where) in self._open

    def well(self, plugin: str, where: str) -> None:
        """Note that a plugin did there what it should; a fault of a while ago is forgotten then."""
        fault = self._open.get((plugin, where))
        if fault is None or self._clock() - fault[0] < HOLD_SECONDS:
            return
        with self._lock:
            self._open.pop((plugin, where), None)
            self._show(plugin)
        _log(plugin, where)

    def _show(self, plugin: str) -> None:
        if self._health is not None:
            self._health.set(f"plugin {plugin}", "running")
            reasons = [reason for (name, _), (_, reason) in self._open.items() if name == plugin]
            self._health.tell(f"plugin {plugin}", reasons)


def _log(plugin: str, where: str, reason: Reason | None = None) -> None:
    import structlog  # here, so that commands start without it

    log = structlog.get_logger("ccod.plugins")
    if reason is None:
        log.info("plugin works again", plugin=plugin, where=where)
    else:
        log.error("plugin failed", plugin=plugin, code=reason.code, reason=reason.text, fix=reason.fix)
