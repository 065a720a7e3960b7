"""Finds plugins, asks them ccod's questions, and names the guilty one. Knows no plugin."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pluggy

from ccod import hookspecs
from ccod.checks import Finding
from ccod.discovery import Found, describe, installed, require_fit, unknown, wanted
from ccod.errors import CcodError, ConfigError, PluginError
from ccod.layers import near
from ccod.metrics import Metrics, plugin_errors
from ccod.observatory import Observatory, Plugin
from ccod.redaction import Redactor
from ccod.roles import Auth, Cache, Parser, Prices, Sink, Source, Storage, Transport
from ccod.settings import CoreSettings, Settings
from ccod.tracing import tracers

if TYPE_CHECKING:
    import click
    from prometheus_client import Histogram


class Manager:
    """A typed face over pluggy: one method for each hook.

    Plugins that cannot be loaded are noted in `plugins`; `require` raises what was wrong with the first of them.
    """

    def __init__(
        self,
        disable: Collection[str] = (),
        found: Collection[Found] | None = None,
        load: Collection[str] = ("*",),
        *,
        trace: bool = False,
    ) -> None:
        """`found` are plugins, or all that are installed. Only those of distributions in `load` are imported."""
        self._pm = pluggy.PluginManager("ccod")
        self._pm.add_hookspecs(hookspecs)
        self.plugins: list[Plugin] = []
        self._disable = tuple(disable)
        self._errors: list[PluginError] = []
        self.metrics: Metrics | None = None
        """Where it is measured from now on how long plugins take to answer."""
        found = installed() if found is None else found
        self._load_in_vain = unknown(load, found)
        if trace:
            self._pm.add_hookcall_monitoring(*tracers())
        for entry in sorted(found, key=lambda e: (e.name, e.value)):
            self._load(entry, disabled=entry.name in disable or not wanted(entry, load))
        with _quietly():
            self._attempt(lambda: list(self.ask("ccod_add_hooks", manager=self._pm)))
        self._attempt(self._check_hooks)
        for plugin in self.plugins:
            callers = self._pm.get_hookcallers(self._pm.get_plugin(plugin.name)) if plugin.state == "loaded" else None
            plugin.hooks = sorted(caller.name for caller in callers or ())

    def require(self) -> None:
        """Raise the first PluginError that loading met, or ConfigError for a name in `disable` that no plugin has."""
        names = {plugin.name for plugin in self.plugins}
        for name in self._disable:
            if name not in names:
                raise ConfigError(f"disable: no plugin is called {name!r}{near(name, names)}; correct or remove it")
        for name in self._load_in_vain:
            raise ConfigError(f"load_plugins: no installed distribution {name!r} has a plugin; correct or remove it")
        if self._errors:
            raise self._errors[0]

    def deprecated(self) -> Iterator[tuple[str, str]]:
        """Yield who answers a hook, or takes an argument, that will go: the plugin, and what there is to say of it."""
        for caller in (caller for _, caller in sorted(vars(self._pm.hook).items()) if getattr(caller, "spec", None)):
            whole, by_argument = caller.spec.warn_on_impl, caller.spec.warn_on_impl_args or {}
            for impl in caller.get_hookimpls():
                if whole is not None:
                    yield impl.plugin_name, f"{caller.name} is deprecated: {whole}"
                for argument in (name for name in impl.argnames if name in by_argument):
                    yield impl.plugin_name, f"{caller.name}({argument}) is deprecated: {by_argument[argument]}"

    @property
    def absent(self) -> list[str]:
        """The names of plugins that are left out, whose tables nobody checks."""
        return [plugin.name for plugin in self.plugins if plugin.state == "disabled"]

    def require_roles(self, settings: Settings) -> None:
        """Raise ConfigError where the configuration gives a role to a plugin that cannot play it."""
        core = settings.core
        for key, chosen in (("storage", core.storage), ("auth", core.auth), ("prices", core.prices)):
            self._require_offer(f"ccod_{key}", key, chosen)

    def schemas(self) -> dict[str, type[msgspec.Struct]]:
        """Return the settings class of every plugin that has one."""
        found = dict(self.ask("ccod_settings"))
        for plugin, schema in found.items():
            if not (isinstance(schema, type) and issubclass(schema, msgspec.Struct)):
                raise _wrong(plugin, "ccod_settings", "a subclass of msgspec.Struct", schema)
            if plugin in CoreSettings.__struct_fields__:
                raise PluginError(plugin, f"the core has a setting of that name; rename it, or {_leave_out(plugin)}")
        return found

    def add_commands(self, cli: click.Group, configuration: Callable[[], Settings]) -> None:
        list(self.ask("ccod_commands", cli=cli, settings=configuration))

    def checks(self, settings: Settings) -> Iterator[tuple[str, Finding]]:
        """Yield what each plugin finds, with its name; that it cannot look is a finding, too."""
        for impl in self._pm.hook.ccod_checks.get_hookimpls():
            name = impl.plugin_name
            try:
                answer = self._ask("ccod_checks", name, settings=settings) or ()
                yield from ((name, finding) for finding in self._attributed("ccod_checks", name, partial(list, answer)))
            except CcodError as error:
                yield name, Finding("check-failed", "problem", str(error), "ccod plugins")

    def sources(self, settings: Settings, metrics: Metrics) -> list[Source]:
        needs = ("name", "run")
        return [s for _, s in self._ask_all("ccod_sources", needs, settings=settings, metrics=metrics)]

    def parsers(self, settings: Settings) -> dict[str, Parser]:
        """Return every parser by its format."""
        parsers: dict[str, Parser] = {}
        for plugin, parser in self._ask_all("ccod_parsers", ("format", "parse", "content"), settings=settings):
            if parser.format in parsers:
                raise PluginError(plugin, f"a parser of {parser.format!r} is there already; {_leave_out(plugin)}")
            parsers[parser.format] = parser
        return parsers

    def redactor(self, settings: Settings) -> Redactor:
        """Return what masks the secrets that any plugin knows."""
        return Redactor(
            rule for _, rule in self._ask_all("ccod_redaction_rules", ("kind", "pattern"), settings=settings)
        )

    def prices(self, settings: Settings) -> Prices:
        answer: Prices = self._ask_one("ccod_prices", "prices", settings.core.prices, settings=settings)
        return answer

    def storage(self, settings: Settings, parsers: Mapping[str, Parser]) -> Storage:
        given = {"settings": settings, "prices": self.prices(settings), "parsers": parsers}
        answer: Storage = self._ask_one("ccod_storage", "storage", settings.core.storage, **given)
        return answer

    def auth(self, settings: Settings, storage: Storage) -> Auth:
        answer: Auth = self._ask_one("ccod_auth", "auth", settings.core.auth, settings=settings, storage=storage)
        return answer

    def cache(self, settings: Settings) -> Cache:
        answer: Cache = self._ask_one("ccod_cache", "cache", settings.core.cache, settings=settings)
        return answer

    def transports(self, settings: Settings, observatory: Observatory) -> list[Transport]:
        needs = ("name", "run")
        return [t for _, t in self._ask_all("ccod_transports", needs, settings=settings, observatory=observatory)]

    def sinks(self, settings: Settings, observatory: Observatory) -> list[Sink]:
        sinks: dict[str, Sink] = {}
        given = {"settings": settings, "observatory": observatory}
        for plugin, sink in self._ask_all("ccod_sinks", ("name", "deliver", "__aenter__", "__aexit__"), **given):
            if sink.name in sinks:
                raise PluginError(plugin, f"a sink called {sink.name!r} is there already; {_leave_out(plugin)}")
            sinks[sink.name] = sink
        return [*sinks.values()]

    def ask(self, hook: str, **values: object) -> Sequence[tuple[str, Any]]:
        """Ask every plugin in turn; return the name and the answer of each, answers of None left out."""
        impls = getattr(self._pm.hook, hook).get_hookimpls()
        return [
            (impl.plugin_name, answer)
            for impl in impls
            if (answer := self._ask(hook, impl.plugin_name, **values)) is not None
        ]

    def _ask_all(self, hook: str, needs: Collection[str], **values: object) -> Iterator[tuple[str, Any]]:
        """Ask every plugin for several things; yield its name with each, once all are seen to have what they need."""
        for plugin, answer in self.ask(hook, **values):
            if not isinstance(answer, Iterable):
                raise _wrong(plugin, hook, "an iterable", answer)
            for thing in self._attributed(hook, plugin, partial(list, answer)):
                if not all(hasattr(thing, name) for name in needs):
                    raise _wrong(plugin, hook, f"things with {', '.join(needs)}", thing)
                yield plugin, thing

    def _ask_one(self, hook: str, key: str, chosen: str, **values: object) -> Any:
        self._require_offer(hook, key, chosen)
        answer = self._ask(hook, chosen, **values)
        if answer is None:
            raise PluginError(chosen, f"{hook} answered None; choose another with `{key} = …`")
        return answer

    def _require_offer(self, hook: str, key: str, chosen: str) -> None:
        offers = [impl.plugin_name for impl in getattr(self._pm.hook, hook).get_hookimpls()]
        if chosen not in offers:
            raise ConfigError(
                f"{key}: no plugin {chosen!r} can play this; choose from: {', '.join(sorted(offers)) or 'none'}"
            )

    def _ask(self, hook: str, name: str, **values: object) -> Any:
        """Ask one plugin, so that an error bears its name."""
        plugin = self._pm.get_plugin(name)
        others = [other for other in self._pm.get_plugins() if other is not plugin]
        caller = self._pm.subset_hook_caller(hook, others)

        def work() -> Any:
            answer = caller(**values)
            if not (caller.spec and caller.spec.opts.get("firstresult")):
                answer = answer[0] if answer else None
            return list(answer) if isinstance(answer, Iterator) else answer  # a generator does its work only now

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
            return work()
        except CcodError:
            raise
        except Exception as error:
            if self.metrics is not None:
                plugin_errors(self.metrics).labels(plugin).inc()
            problem = f"{hook} failed: {type(error).__name__}: {error}"
            raise PluginError(plugin, f"{problem}; mend it, or {_leave_out(plugin)}") from error

    def _load(self, entry: Found, *, disabled: bool) -> None:
        plugin = Plugin(entry.name, *(describe(entry.dist) if entry.dist else ("", "")))
        self.plugins.append(plugin)
        if disabled:
            plugin.state = "disabled"
        else:
            self._attempt(lambda: self._register(entry))

    def _register(self, entry: Found) -> None:
        require_fit(entry.name, entry.dist)
        if self._pm.has_plugin(entry.name):
            raise PluginError(
                entry.name, f"two distributions or files offer it; uninstall one, or {_leave_out(entry.name)}"
            )
        try:
            module = entry.load()
            with _quietly():
                self._pm.register(module, name=entry.name)
        except pluggy.PluginValidationError as error:
            problem = str(error).splitlines()[-1]
            raise PluginError(entry.name, f"{problem}; mend it, or {_leave_out(entry.name)}") from error
        except PluginError:
            raise
        except (Exception, SystemExit) as error:
            problem = f"cannot be imported from {entry.value!r}: {type(error).__name__}: {error}"
            raise PluginError(entry.name, f"{problem}; mend it, or {_leave_out(entry.name)}") from error

    def _check_hooks(self) -> None:
        """Refuse an implementation of a hook that nobody specifies, unless it says that it is optional."""
        known = {name for name, caller in vars(self._pm.hook).items() if getattr(caller, "spec", None)}
        for name, caller in vars(self._pm.hook).items():
            impls = caller.get_hookimpls() if name not in known and not name.startswith("_") else []
            for impl in (impl for impl in impls if not impl.optionalhook):
                raise PluginError(impl.plugin_name, f"no hook is called {name!r}{near(name, known)}")

    def _attempt(self, action: Callable[[], object]) -> None:
        """Do it; note a plugin's failure instead of raising it, and forget that plugin."""
        try:
            action()
        except PluginError as error:
            self._errors.append(error)
            for plugin in self.plugins:
                if plugin.name == error.plugin:
                    plugin.state, plugin.error = "failed", str(error)
            if self._pm.has_plugin(error.plugin):
                self._pm.unregister(name=error.plugin)


def _quietly() -> warnings.catch_warnings[None]:
    """Let pluggy's warnings of deprecated hooks go unsaid: they name no plugin. `Manager.deprecated` tells of them."""
    return warnings.catch_warnings(action="ignore")


def _wrong(plugin: str, hook: str, wanted: str, answer: object) -> PluginError:
    problem = f"{hook} must answer with {wanted}, not {type(answer).__name__}"
    return PluginError(plugin, f"{problem}; mend it, or {_leave_out(plugin)}")


def _leave_out(plugin: str) -> str:
    return f'leave it out with disable = ["{plugin}"]'
