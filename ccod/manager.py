"""Asks plugins ccod's questions: a typed face, one method for each hook. Knows no plugin."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ccod.errors import CcodError, ConfigError, PluginError
from ccod.limits import listed
from ccod.loading import Loaded, leave_out, wrong

if TYPE_CHECKING:  # commands load plugins without a daemon, whose rooms are large
    from ccod.checks import Finding
    from ccod.guarded import GuardedCache, GuardedParser
    from ccod.hookspecs import Commands
    from ccod.metrics import Metrics
    from ccod.observatory import Observatory
    from ccod.redaction import Redactor, SecretRule
    from ccod.roles import Auth, Parser, Prices, Sink, Source, Storage, Transport
    from ccod.settings import CoreSettings, Settings


NEEDS = {
    "storage": ("append", "checkpoints", "maintain", "__aenter__", "__aexit__"),
    "auth": ("challenge", "identify", "ended", "__aenter__", "__aexit__"),
    "prices": ("version", "cost"),
    "cache": ("get", "put", "__aenter__", "__aexit__"),
}
"""What the answer for a role must have; more is wanted of it, and missed when it is used."""


class Manager(Loaded):
    """Hands out what plugins answer, each behind what contains its faults."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """See `Loaded`."""
        super().__init__(*args, **options)
        self._parsers: dict[str, GuardedParser] = {}
        self._makers: list[tuple[object, str]] = []

    def maker_of(self, thing: object) -> str:
        """Return the name of the plugin that answered with a source, transport or sink; "" for one of ccod's own."""
        maker = next((plugin for each, plugin in self._makers if each is thing), "")
        return "" if maker in self._own else maker

    def require_roles(self, settings: Settings) -> None:
        """Raise ConfigError where the configuration gives a role to a plugin that cannot play it."""
        core = settings.core
        for key, chosen in (("storage", core.storage), ("auth", core.auth), ("prices", core.prices)):
            if key != "prices" or chosen not in self.left_out:
                self._require_offer(f"ccod_{key}", key, chosen)

    def is_own(self, plugin: str) -> bool:
        """Tell whether a plugin is one of ccod's own."""
        return plugin in self._own

    def add_commands(self, cli: Commands, configuration: Callable[[], Settings]) -> list[PluginError]:
        """Let each plugin add its commands; return what went wrong with those of others.

        To make a command that a plugin adds for later raises PluginError, too.
        """
        errors = []
        for name in self._impls("ccod_commands"):
            before = {*cli.later}
            try:
                self._ask("ccod_commands", name, cli=cli, settings=configuration)
            except PluginError as error:
                if name in self._own:
                    raise
                errors.append(error)
            for added in cli.later.keys() - before:
                cli.later[added] = partial(self._attributed, "ccod_commands", name, cli.later[added])
        return errors

    def checks(self, settings: Settings) -> Iterator[tuple[str, Finding]]:
        """Yield what each plugin finds, with its name; that it cannot look is a finding, too."""
        from ccod.checks import Finding

        for impl in self._pm.hook.ccod_checks.get_hookimpls():
            name = impl.plugin_name
            try:
                answer = self._ask("ccod_checks", name, settings=settings) or ()
                yield from (
                    (name, finding) for finding in self._attributed("ccod_checks", name, partial(listed, answer))
                )
            except CcodError as error:
                yield name, Finding("check-failed", "problem", str(error), self.without(name, settings.core))

    def without(self, plugin: str, core: CoreSettings) -> str:
        """Return how a plugin that fails is done without: by a command, but for one that has to be there."""
        if plugin in self._own or plugin in {core.storage, core.auth, core.prices, core.cache}:
            kind = "one of ccod's own" if plugin in self._own else "chosen by the settings"
            return f"mend or update it: it is {kind}; `ccod plugins` says where it is from"
        from ccod.mending import leave_out_command

        return leave_out_command(plugin, core.disable)

    def sources(self, settings: Settings, metrics: Metrics) -> list[Source]:
        given = {"settings": settings, "metrics": metrics}
        return self._services("source", "ccod_sources", ("name", "run", "roots"), given)

    def parsers(self, settings: Settings) -> Mapping[str, Parser]:
        """Return every parser by its format; none of them raises."""
        from ccod.guarded import GuardedParser

        parsers = self._parsers = {}
        for plugin, parser in self._ask_all(
            "ccod_parsers", ("format", "version", "parse", "content"), settings=settings
        ):
            with self.containing("ccod_parsers"):
                if parser.format in parsers:
                    problem = f"a parser of {parser.format!r} is there already; {leave_out(plugin)}"
                    raise PluginError(plugin, problem)
                parsers[parser.format] = GuardedParser(parser, plugin, self.faults, self.calls)
        return parsers

    def note_parser(self, form: str, problem: str) -> None:
        """Note what the parser of a format did wrong."""
        if parser := self._parsers.get(form):
            self.faults.note(parser.plugin, parser.where, problem)

    def redactor(self, settings: Settings) -> Redactor:
        """Return what masks the secrets that any plugin knows."""
        from ccod.redaction import Redactor

        rules: list[SecretRule] = []
        watched: dict[int, Callable[[float], None]] = {}
        for plugin, rule in self._ask_all("ccod_redaction_rules", ("kind", "pattern"), settings=settings):
            with self.containing("ccod_redaction_rules"):
                self._attributed("ccod_redaction_rules", plugin, partial(Redactor, [rule]))
                if plugin not in self._own:
                    watched[len(rules)] = partial(self._note_slow_rule, plugin, rule.kind)
                rules.append(rule)
        return Redactor(rules, watched)

    def _note_slow_rule(self, plugin: str, kind: str, seconds: float) -> None:
        problem = (
            f"it computed for {seconds:.1f} seconds on one text; what it would look at is withheld until a restart"
        )
        self.faults.note(plugin, f"redaction rule {kind}", problem)

    def prices(self, settings: Settings) -> Prices:
        """Return who knows prices: nobody where that plugin was left out because it blocked the daemon."""
        from ccod.guarded import GuardedPrices, NoPrices

        chosen = settings.core.prices
        if chosen in self.left_out:
            return NoPrices()
        prices = self._ask_one("prices", chosen, settings=settings)
        return GuardedPrices(prices, chosen, self.faults, self.calls)

    def storage(self, settings: Settings, parsers: Mapping[str, Parser]) -> Storage:
        given = {"settings": settings, "prices": self.prices(settings), "parsers": parsers}
        from ccod.guarded_storage import guarded_storage

        chosen = settings.core.storage
        answer: Storage = self._ask_one("storage", chosen, **given)
        return answer if chosen in self._own else guarded_storage(answer, chosen, self.faults)

    def auth(self, settings: Settings, storage: Storage) -> Auth:
        from ccod.guarded import GuardedAuth

        chosen = settings.core.auth
        answer: Auth = self._ask_one("auth", chosen, settings=settings, storage=storage)
        if chosen in self._own:
            return answer  # its own routes know it by its class
        return GuardedAuth(answer, chosen, self.faults)

    def cache(self, settings: Settings) -> GuardedCache:
        from ccod.guarded import GuardedCache
        from ccod.observatory import NoCache

        chosen = settings.core.cache
        if chosen in self.left_out:
            return GuardedCache(NoCache(), chosen, self.faults)
        return GuardedCache(self._ask_one("cache", chosen, settings=settings), chosen, self.faults)

    def transports(self, settings: Settings, observatory: Observatory) -> list[Transport]:
        given = {"settings": settings, "observatory": observatory}
        return self._services("transport", "ccod_transports", ("name", "run"), given)

    def sinks(self, settings: Settings, observatory: Observatory) -> list[Sink]:
        given = {"settings": settings, "observatory": observatory}
        return self._services("sink", "ccod_sinks", ("name", "deliver", "__aenter__", "__aexit__"), given)

    def _services(self, role: str, hook: str, needs: Collection[str], given: Mapping[str, object]) -> list[Any]:
        """Return what plugins answered a hook with, each with a name of its own; see `maker_of`."""
        services: dict[str, Any] = {}
        for plugin, service in self._ask_all(hook, needs, **given):
            with self.containing(hook):
                if not isinstance(service.name, str):
                    raise wrong(plugin, hook, f"a {role} whose name is a text", service.name)
                if service.name in services:
                    problem = f"a {role} called {service.name!r} is there already; {leave_out(plugin)}"
                    raise PluginError(plugin, problem)
                services[service.name] = service
                self._makers.append((service, plugin))
        return [*services.values()]

    def _ask_all(self, hook: str, needs: Collection[str], **values: object) -> Iterator[tuple[str, Any]]:
        """Ask every plugin for several things; yield its name with each, once all are seen to have what they need."""
        for plugin, answer in self.ask(hook, **values):
            things: list[Any] = []
            with self.containing(hook):
                if not isinstance(answer, Iterable):
                    raise wrong(plugin, hook, "an iterable", answer)
                things = self._attributed(hook, plugin, partial(listed, answer))
                for thing in things:
                    if not all(hasattr(thing, name) for name in needs):
                        things = []
                        raise wrong(plugin, hook, f"things with {', '.join(needs)}", thing)
            yield from ((plugin, thing) for thing in things)

    def _ask_one(self, key: str, chosen: str, **values: object) -> Any:
        """Ask the plugin that plays a role alone; nothing goes on without it, so what is wrong is raised."""
        hook = f"ccod_{key}"
        self._require_offer(hook, key, chosen)
        answer = self._ask(hook, chosen, **values)
        if answer is None:
            raise PluginError(chosen, f"{hook} answered None; choose another with `{key} = …`")
        if not all(hasattr(answer, name) for name in NEEDS[key]):
            raise wrong(chosen, hook, f"something with {', '.join(NEEDS[key])}", answer)
        return answer

    def _require_offer(self, hook: str, key: str, chosen: str) -> None:
        if chosen in self.left_out:
            raise PluginError(chosen, f"{self.left_out[chosen]}; ccod plugins allow {chosen}, or choose another: {key}")
        offers = self._impls(hook)
        for error in self.errors:
            if error.plugin == chosen and chosen not in offers:
                raise error
        if any(plugin.name == chosen and plugin.state == "disabled" for plugin in self.plugins):
            raise ConfigError(f"{key}: plugin {chosen!r} is left out; take it out of `disable`, or choose another")
        if chosen not in offers:
            raise ConfigError(
                f"{key}: no plugin {chosen!r} can play this; choose from: {', '.join(sorted(offers)) or 'none'}"
            )
