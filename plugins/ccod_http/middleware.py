"""What plugins put before and behind every route."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from quart import Quart, Response

from ccod import PluginError
from ccod_http.problems import answer, plain_problem

log = structlog.get_logger("ccod.http")


class Middleware:
    """A subclass does what it needs of both; `quart.request` is the request, `current_user()` who asks.

    It sees requests, no WebSockets, and only after Host, Origin and caller were checked: it can refuse more than the
    server does, never less.
    """

    async def before(self) -> Response | None:
        """Answer a request that the route would now be asked, or leave it to the route. A Problem refuses it."""
        return None

    async def after(self, response: Response) -> Response:
        """Return an answer, of whatever kind, as it shall be sent; the headers of safety are put on it behind this."""
        return response


def install_middleware(app: Quart, plugin: str, middleware: object) -> None:
    """Ask `middleware` before, and after, each request. One that fails is answered as a fault, and named in the log."""
    if not isinstance(middleware, Middleware):
        raise PluginError(plugin, f"ccod_http_middleware must answer with Middleware objects, not {middleware!r}")

    async def after(response: Response) -> Response:
        try:
            return await middleware.after(response)
        except Exception as error:
            log.error("middleware failed", plugin=plugin, exc_info=error)
            return await answer(plain_problem(HTTPStatus.INTERNAL_SERVER_ERROR))

    app.before_request(middleware.before)
    app.after_request(after)
