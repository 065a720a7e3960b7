"""Projects, conversations, messages and health over REST."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ccod import Observatory, hookimpl

if TYPE_CHECKING:
    import quart


@hookimpl(optionalhook=True)
def ccod_http_blueprints(observatory: Observatory) -> Iterable[quart.Blueprint]:
    from ccod_rest.conversations import conversation_routes
    from ccod_rest.health import health_routes
    from ccod_rest.projects import project_routes

    return [project_routes(observatory), conversation_routes(observatory), health_routes(observatory)]
