"""The questions ccod asks its plugins, once, while it starts, in this order.

Hooks are ordinary functions and must not block: they answer with objects whose methods do the work later, under
trio. `ccod.roles` says what each object must be able to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

import pluggy

if TYPE_CHECKING:  # a plugin is loaded for `hookimpl` long before it sees one of these
    import click
    import msgspec

    from ccod.checks import Finding
    from ccod.metrics import Metrics
    from ccod.observatory import Observatory
    from ccod.redaction import SecretRule
    from ccod.roles import Auth, Cache, Parser, Prices, Sink, Source, Storage, Transport
    from ccod.settings import Settings

hookspec = pluggy.HookspecMarker("ccod")
hookimpl = pluggy.HookimplMarker("ccod")


class Hooks(Protocol):
    """Where a plugin offers hooks of its own."""

    def add_hookspecs(self, namespace: object) -> None:
        """Add the functions of `namespace`, a module or class, that are marked with `hookspec`."""


class Commands(Protocol):
    """Where a plugin adds commands: a `click.Group`, with one way more."""

    later: dict[str, Callable[[], click.Command]]

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command."""

    def add_later(self, name: str, make: Callable[[], click.Command]) -> None:
        """Add a command that is made, and its module imported, when it is called or told of."""


@hookspec
def ccod_add_hooks(manager: Hooks) -> None:
    """Offer hooks of your own, with `manager.add_hookspecs(module)`; `Observatory.ask` puts them to all plugins."""


@hookspec
def ccod_settings() -> type[msgspec.Struct]:  # type: ignore[empty-body]
    """Return the class of your table in the configuration file; its defaults are your defaults."""


@hookspec
def ccod_commands(cli: Commands, settings: Callable[[], Settings]) -> None:
    """Add subcommands with `cli.add_command` or `cli.add_later`; one may call `settings()` once it runs.

    That reads the configuration. `cli` gives each of them the options `--config` and `--set`, which `settings()` heeds.
    """


@hookspec
def ccod_checks(settings: Settings) -> Iterable[Finding]:  # type: ignore[empty-body]
    """Look whether all is well with what is yours, for `ccod doctor`; it may block for some seconds.

    It is asked in the command's own process, whether the daemon runs or not. An error that is raised is a finding, too.
    """


@hookspec
def ccod_sources(settings: Settings, metrics: Metrics) -> Iterable[Source]:  # type: ignore[empty-body]
    """Return the sources to run, which may measure themselves by `metrics`. An empty answer is fine."""


@hookspec
def ccod_parsers(settings: Settings) -> Iterable[Parser]:  # type: ignore[empty-body]
    """Return parsers, one for each format you know. Two parsers of one format are an error."""


@hookspec
def ccod_redaction_rules(settings: Settings) -> Iterable[SecretRule]:  # type: ignore[empty-body]
    """Return kinds of secrets to mask in all that is shown. Every plugin is asked; an empty answer is fine."""


@hookspec(firstresult=True)
def ccod_prices(settings: Settings) -> Prices:  # type: ignore[empty-body]
    """Return who knows list prices. Only the plugin named by `prices` in the configuration is asked."""


@hookspec(firstresult=True)
def ccod_storage(settings: Settings, prices: Prices, parsers: Mapping[str, Parser]) -> Storage:  # type: ignore[empty-body]
    """Return the storage. Only the plugin named by `storage` in the configuration is asked."""


@hookspec(firstresult=True)
def ccod_auth(settings: Settings, storage: Storage) -> Auth:  # type: ignore[empty-body]
    """Return who says who is asking. Only the plugin named by `auth` in the configuration is asked."""


@hookspec(firstresult=True)
def ccod_cache(settings: Settings) -> Cache:  # type: ignore[empty-body]
    """Return what keeps answers. Only the plugin named by `cache` in the configuration is asked."""


@hookspec
def ccod_transports(settings: Settings, observatory: Observatory) -> Iterable[Transport]:  # type: ignore[empty-body]
    """Return the ways out. Every plugin is asked; an empty answer is fine."""


@hookspec
def ccod_sinks(settings: Settings, observatory: Observatory) -> Iterable[Sink]:  # type: ignore[empty-body]
    """Return receivers of stored events. Every plugin is asked; an empty answer is fine."""
