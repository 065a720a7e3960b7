"""The application: every plugin's blueprints behind one gate."""

from __future__ import annotations

from http import HTTPStatus

import trio
from quart import Quart, request
from quart.wrappers.base import BaseRequestWebsocket
from quart_trio import QuartTrio
from werkzeug.routing import MapAdapter

from ccod import Observatory, PluginError, Settings
from ccod_http.gate import Gate
from ccod_http.identity import Identifier
from ccod_http.problems import Problem, install_error_handlers
from ccod_http.settings import HttpSettings

BODY_SECONDS = 15.0


class App(QuartTrio):
    """Routes by the path alone: Quart also reads the Host, before the gate and outside of any error handler."""

    def create_url_adapter(self, request: BaseRequestWebsocket | None) -> MapAdapter | None:
        if request is None:
            return None
        return self.url_map.bind("localhost", None, None, request.scheme, request.method, request.path)


def build_app(settings: Settings, observatory: Observatory) -> Quart:
    """Return the application, with the routes of every plugin."""
    mine = settings[HttpSettings]
    app = App("ccod_http", static_folder=None)
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = None  # drain_body bounds it
    install_error_handlers(app)

    @app.before_request
    async def drain_body() -> None:
        await _drain_body(mine.max_body)

    Gate(mine).install(app)
    Identifier(mine, observatory.auth).install(app)
    for plugin, blueprints in observatory.ask("ccod_http_blueprints", settings=settings, observatory=observatory):
        for blueprint in blueprints:
            try:
                app.register_blueprint(blueprint)
            except (AssertionError, ValueError) as error:
                raise PluginError(plugin, f"blueprint {blueprint.name!r}: {error}") from error
    return app


async def _drain_body(limit: int) -> None:
    """Read the body away before anything is answered: its rest would stand in the way of the next request.

    No route takes a body. One that is too long is still read to a point, so that the client sees why it is refused.
    """
    size = 0
    with trio.move_on_after(BODY_SECONDS) as scope:
        async for part in request.body:
            size += len(part)
            if size > 8 * limit:
                break
    if scope.cancelled_caught:
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "The body did not arrive in time.")
    if size > limit:
        message = f"The body is longer than {limit} bytes, which [http] max_body allows."
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
