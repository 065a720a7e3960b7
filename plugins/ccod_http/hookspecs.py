"""The hook that the HTTP server offers to every plugin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ccod import Observatory, Settings, hookspec

if TYPE_CHECKING:
    import quart


@hookspec
def ccod_http_blueprints(settings: Settings, observatory: Observatory) -> Iterable[quart.Blueprint]:  # type: ignore[empty-body]
    """Return blueprints for the HTTP server, WebSocket routes too. Every plugin is asked."""
