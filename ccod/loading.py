"""Finds and loads plugins, asks them hooks one at a time, and names the guilty one. Knows no plugin."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec
import pluggy

import ccod.hookspecs
from ccod.calls import Calls
from ccod.discovery import Found, describe_found, installed, is_own, require_fit, unknown, wanted
from ccod.errors import CcodError, ConfigError, PluginError
from ccod.faults import Faults, Plugin
from ccod.layers import near
from ccod.limits import LIMITS, interrupted, is_pressed, listed, told
from ccod.metrics import plugin_errors
from ccod.settings import CoreSettings
from ccod.tracing import tracers

if TYPE_CHECKING:
    from prometheus_client import Histogram

    from ccod.health import Health
    from ccod.metrics import Metrics


class Loaded:
    """The plugins that are found, behind pluggy.

    Those that cannot be loaded are noted in `plugins`; `require` raises what was wrong with the first of them. Once it
    was told to `contain`, plugins of others that fail are named and left out, and nothing is raised for them.
    """

    def __init__(
        self,
        disable: Collection[str] = (),
        found: Collection[Found] | None = None,
        load: Collection[str] = ("*",),
        *,
        trace: bool = False,
        left_out: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`found` are plugins, or all that are installed. Only those of distributions in `load` are imported.

        Those that blocked the daemon are `left_out`: why, by their names.
        """
        self._pm = pluggy.PluginManager("ccod")
        self._pm.add_hookspecs(ccod.hookspecs)
        self.plugins: list[Plugin] = []
        self._disable = tuple(disable)
        self.errors: list[PluginError] = []
        """What was wrong with those that cannot be loaded."""
        self._schemas: dict[str, type[msgspec.Struct]] = {}
        self._contains = False
        self.faults = Faults(self.plugins)
        self.calls = Calls()
        self.metrics: Metrics | None = None
        """Where it is measured from now on how long plugins take to answer."""
        found = installed() if found is None else found
        self._own = {entry.name for entry in found if is_own(entry)}
        self.left_out = {name: why for name, why in left_out.items() if name not in {*self._own, *disable}}
        self._load_in_vain = unknown(load, found)
        if trace:
            self._pm.add_hookcall_monitoring(*tracers())
        for entry in sorted(found, key=lambda e: (not is_own(e), e.name, e.value)):
            self._load(entry, disabled=entry.name in disable or not wanted(entry, load))
        with _quietly():
            for name in self._impls("ccod_add_hooks"):
                self._attempt(partial(self._ask, "ccod_add_hooks", name, manager=self._pm))
        for plugin in self.plugins:
            self._attempt(partial(self._check_hooks, plugin.name))
        for name in self._impls("ccod_settings"):
            self._attempt(partial(self._add_schema, name))
        for plugin in self.plugins:
            callers = self._pm.get_hookcallers(self._pm.get_plugin(plugin.name)) if plugin.state == "loaded" else None
            plugin.hooks = sorted(caller.name for caller in callers or ())

    def contain(self) -> None:
        """Let plugins of others fail from now on. Raises PluginError where one of ccod's own cannot be loaded."""
        self._require_names()
        for error in self.errors:
            if error.plugin in self._own and not self._pm.has_plugin(error.plugin):
                raise error
            self.faults.note(error.plugin, "start", str(error))
        for name, why in self.left_out.items():
            self.faults.note(name, "start", why, code="PLUGIN_BLOCKED", fix=f"ccod plugins allow {name}")
        self._contains = True
        self.faults.contain(self._own)

    def deprecated(self) -> Iterator[tuple[str, str]]:
        """Yield who answers a hook, or takes an argument, that will go: the plugin, and what there is to say of it."""
        for caller in (caller for _, caller in sorted(vars(self._pm.hook).items()) if getattr(caller, "spec", None)):
            whole, by_argument = caller.spec.warn_on_impl, caller.spec.warn_on_impl_args or {}
            for impl in caller.get_hookimpls():
                if whole is not None:
                    yield impl.plugin_name, f"{caller.name} is deprecated: {whole}"
                for argument in (name for name in impl.argnames if name in by_argument):
                    yield impl.plugin_name, f"{caller.name}({argument}) is deprecated: {by_argument[argument]}"

    def observe(self, health: Health, metrics: Metrics) -> None:
        """Tell of what fails there too."""
        self.metrics = metrics
        self.faults.watch(health, metrics)

    def require(self) -> None:
        """Raise the first PluginError that loading met, or ConfigError for a name in `disable` that no plugin has."""
        self._require_names()
        if self.errors:
            raise self.errors[0]

    def _require_names(self) -> None:
        names = {plugin.name for plugin in self.plugins}
        for name in self._disable:
            if name not in names:
                raise ConfigError(f"disable: no plugin is called {name!r}{near(name, names)}; correct or remove it")
        for name in self._load_in_vain:
            raise ConfigError(f"load_plugins: no installed distribution {name!r} has a plugin; correct or remove it")

    @property
    def absent(self) -> list[str]:
        """The names of plugins that are left out, whose tables nobody checks."""
        states = {"disabled", "failed"} if self._contains else {"disabled"}
        return [plugin.name for plugin in self.plugins if plugin.state in states or plugin.name in self.left_out]

    def schemas(self) -> dict[str, type[msgspec.Struct]]:
        """Return the settings class of every plugin that has one."""
        return dict(self._schemas)

    def _add_schema(self, plugin: str) -> None:
        schema = self._ask("ccod_settings", plugin)
        if schema is None:
            return
        if not (isinstance(schema, type) and issubclass(schema, msgspec.Struct)):
            raise wrong(plugin, "ccod_settings", "a subclass of msgspec.Struct", schema)
        if plugin in CoreSettings.__struct_fields__:
            raise PluginError(plugin, f"the core has a setting of that name; rename it, or {leave_out(plugin)}")
        self._schemas[plugin] = schema

    def ask(self, hook: str, **values: object) -> Sequence[tuple[str, Any]]:
        """Ask every plugin in turn; return the name and the answer of each, answers of None left out."""
        answers: list[tuple[str, Any]] = []
        for name in self._impls(hook):
            with self.containing(hook):
                if (answer := self._ask(hook, name, **values)) is not None:
                    answers.append((name, answer))
        return answers

    def _impls(self, hook: str) -> list[str]:
        return [impl.plugin_name for impl in getattr(self._pm.hook, hook).get_hookimpls()]

    @contextmanager
    def containing(self, hook: str) -> Iterator[None]:
        """Name a plugin of others for what it does wrong in the body, and go on behind it."""
        try:
            yield
        except PluginError as error:
            self.faults.blame(hook, error)

    def _ask(self, hook: str, name: str, **values: object) -> Any:
        """Ask one plugin, so that an error bears its name."""
        plugin = self._pm.get_plugin(name)
        others = [other for other in self._pm.get_plugins() if other is not plugin]
        caller = self._pm.subset_hook_caller(hook, others)

        def work() -> Any:
            answer = caller(**values)
            if not (caller.spec and caller.spec.opts.get("firstresult")):
                answer = answer[0] if answer else None
                if isinstance(answer, Iterable) and not isinstance(answer, Sized):
                    return listed(answer)  # its work is done only now, and it may have no end
            return listed(answer) if isinstance(answer, Iterator) else answer

        began = time.perf_counter()
        answer = self._attributed(hook, name, work)
        if self.metrics is not None:
            self._durations(self.metrics).labels(hook, name).observe(time.perf_counter() - began)
        return answer

    def _durations(self, metrics: Metrics) -> Histogram:
        return metrics.histogram(
            "ccod_plugin_hook_duration_seconds",
            "Time that a plugin took to answer a hook, by hook and plugin.",
            "hook",
            "plugin",
            buckets=(0.001, 0.01, 0.1, 1.0, 10.0),
        )

    def _attributed(self, hook: str, plugin: str, work: Callable[[], Any]) -> Any:
        try:
            if plugin in self._own:
                return work()
            with interrupted(LIMITS.hook):
                return work()
        except CcodError:
            raise
        except BaseException as error:
            if is_pressed(error):
                raise
            if self.metrics is not None and not self._contains:
                plugin_errors(self.metrics).labels(plugin).inc()
            problem = f"{hook} failed: {told(error)}"
            raise PluginError(plugin, f"{problem}; mend it, or {leave_out(plugin)}") from error

    def _load(self, entry: Found, *, disabled: bool) -> None:
        plugin = Plugin(entry.name, *((entry.dist.name, entry.dist.version) if entry.dist else ("", "")))
        self.plugins.append(plugin)
        if disabled:
            plugin.state = "disabled"
        elif not is_own(entry) and entry.name in self.left_out:
            plugin.state, plugin.error = "failed", self.left_out[entry.name]
        else:
            self._attempt(lambda: self._register(entry), plugin)

    def _register(self, entry: Found) -> None:
        require_fit(entry.name, entry.dist)
        if self._pm.has_plugin(entry.name):
            problem = f"two distributions or files offer it, and {describe_found(entry)} is not loaded"
            raise PluginError(entry.name, f"{problem}; uninstall one, or {leave_out(entry.name)}")
        module = self._imported(entry)
        try:
            with _quietly():
                self._pm.register(module, name=entry.name)
        except pluggy.PluginValidationError as error:
            self._pm.unregister(name=entry.name)
            problem = str(error).splitlines()[-1]
            raise PluginError(entry.name, f"{problem}; mend it, or {leave_out(entry.name)}") from error

    def _imported(self, entry: Found) -> Any:
        try:
            if is_own(entry):
                return entry.load()
            with interrupted(LIMITS.hook):
                return entry.load()
        except PluginError:
            raise
        except BaseException as error:
            if is_pressed(error):
                raise
            problem = f"cannot be imported from {entry.value!r}: {told(error)}"
            raise PluginError(entry.name, f"{problem}; mend it, or {leave_out(entry.name)}") from error

    def _check_hooks(self, plugin: str) -> None:
        """Refuse an implementation of a hook that nobody specifies, unless it says that it is optional."""
        known = {name for name, caller in vars(self._pm.hook).items() if getattr(caller, "spec", None)}
        for name, caller in vars(self._pm.hook).items():
            impls = caller.get_hookimpls() if name not in known and not name.startswith("_") else []
            if any(impl.plugin_name == plugin and not impl.optionalhook for impl in impls):
                raise PluginError(plugin, f"no hook is called {name!r}{near(name, known)}")

    def _attempt(self, action: Callable[[], object], loading: Plugin | None = None) -> None:
        """Do it; note a plugin's failure instead of raising it, and forget that plugin unless it is only `loading`."""
        try:
            action()
        except PluginError as error:
            self.errors.append(error)
            plugin = loading or self._find(error.plugin)
            plugin.state, plugin.error = "failed", str(error)
            if loading is None and self._pm.has_plugin(error.plugin):
                self._pm.unregister(name=error.plugin)
                self._schemas.pop(error.plugin, None)

    def _find(self, name: str) -> Plugin:
        return next(plugin for plugin in self.plugins if plugin.name == name and plugin.state == "loaded")


def _quietly() -> warnings.catch_warnings[None]:
    """Let pluggy's warnings of deprecated hooks go unsaid: they name no plugin. `Loaded.deprecated` tells of them."""
    return warnings.catch_warnings(action="ignore")


def wrong(plugin: str, hook: str, wanted: str, answer: object) -> PluginError:
    problem = f"{hook} must answer with {wanted}, not {type(answer).__name__}"
    return PluginError(plugin, f"{problem}; mend it, or {leave_out(plugin)}")


def leave_out(plugin: str) -> str:
    return f'leave it out with disable = ["{plugin}"]'
