"""Serves HTTP and WebSocket, and asks every plugin for the routes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ccod import hookimpl
from ccod_http import hookspecs
from ccod_http.settings import HttpSettings

if TYPE_CHECKING:
    from ccod import Finding, Hooks, Observatory, Settings, Transport


@hookimpl
def ccod_add_hooks(manager: Hooks) -> None:
    manager.add_hookspecs(hookspecs)


@hookimpl
def ccod_settings() -> type[HttpSettings]:
    return HttpSettings


@hookimpl
def ccod_checks(settings: Settings) -> Iterable[Finding]:
    from ccod_http.checks import findings

    return findings(settings)


@hookimpl
def ccod_transports(settings: Settings, observatory: Observatory) -> Iterable[Transport]:
    from ccod_http.transport import HttpTransport

    return [HttpTransport(settings, observatory)]
