"""The hook that the REST routes offer to every plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccod import hookspec

if TYPE_CHECKING:
    from ccod import Observatory, Settings
    from ccod_rest.fields import AnalyticsFields


@hookspec
def ccod_rest_analytics(settings: Settings, observatory: Observatory) -> AnalyticsFields[Any] | None:
    """Return what you add to the analytics of a conversation: shown there in `plugins`, under your plugin's name."""
