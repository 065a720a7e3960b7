"""The application: every plugin's blueprints behind one gate."""

from __future__ import annotations

from functools import partial

from quart import Quart
from quart.wrappers.base import BaseRequestWebsocket
from quart_trio import QuartTrio
from werkzeug.routing import MapAdapter

from ccod import Observatory, Settings
from ccod_http.body import drain_body
from ccod_http.callers import Callers
from ccod_http.compression import Compression
from ccod_http.gate import Gate
from ccod_http.identity import Identifier
from ccod_http.pacing import Pacer
from ccod_http.problems import install_error_handlers
from ccod_http.reuse import Reuse
from ccod_http.settings import HttpSettings
from ccod_http.table import Table


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
    app.config["MAX_CONTENT_LENGTH"] = None  # `drain_body` bounds it
    install_error_handlers(app)
    Callers(mine.trusted_proxies).install(app)
    app.before_request(partial(drain_body, mine.max_body))
    Gate(mine).install(app)
    Identifier(mine, observatory.auth).install(app)
    table = Table(app)
    for plugin, blueprints in observatory.ask("ccod_http_blueprints", settings=settings, observatory=observatory):
        for blueprint in blueprints:
            table.add(plugin, blueprint)
    Pacer(mine.limits, table).install(app)
    table.install()
    Compression(table).install(app)
    Reuse(observatory.storage, observatory.cache, table).install(app)
    return app
