"""The hooks that the HTTP server offers to every plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ccod import hookspec

if TYPE_CHECKING:
    import quart

    from ccod import Observatory, Settings
    from ccod_http.middleware import Middleware
    from ccod_http.quota import Counts


@hookspec
def ccod_http_blueprints(settings: Settings, observatory: Observatory) -> Iterable[quart.Blueprint]:  # type: ignore[empty-body]
    """Return blueprints for the HTTP server, WebSocket routes too: `ccod_http.web.Routes`. Every plugin is asked."""


@hookspec
def ccod_http_middleware(settings: Settings, observatory: Observatory) -> Iterable[Middleware]:  # type: ignore[empty-body]
    """Return what stands before and behind every route: `ccod_http.web.Middleware`. Every plugin is asked."""


@hookspec
def ccod_http_counts(settings: Settings, observatory: Observatory) -> Callable[[], Counts]:  # type: ignore[empty-body]
    """Return what makes `ccod_http.web.Counts`, by which several daemons count requests together. Called if chosen."""
