"""/api/plugins"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from ccod import Observatory
from ccod_http.web import Routes, sees_here


class PluginJson(Struct, frozen=True):
    """`error` is the last thing that it did wrong, "" where nothing was, and for who does not see this machine."""

    name: str
    distribution: str
    version: str
    state: Literal["loaded", "disabled", "failed"]
    hooks: Sequence[str]
    error: str


def plugin_routes(observatory: Observatory) -> Routes:
    routes = Routes("plugins", __name__, url_prefix="/api/plugins")

    @routes.get("", access="read")
    async def plugins() -> list[PluginJson]:
        """List the plugins, where each comes from, how it is, and which hooks it answers."""
        is_told = sees_here()
        return [
            PluginJson(
                each.name, each.distribution, each.version, each.state, each.hooks, each.error if is_told else ""
            )
            for each in observatory.plugins
        ]

    return routes
