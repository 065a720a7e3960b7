"""The application: every plugin's blueprints behind one gate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from http import HTTPStatus
from typing import TypeVar

import structlog
import trio
from quart import Blueprint, Quart, Response
from quart.wrappers.base import BaseRequestWebsocket
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from ccod import Auth, CcodError, Faults, Observatory, PluginError, Settings
from ccod_http.body import drain_body
from ccod_http.callers import Callers
from ccod_http.compression import Compression
from ccod_http.documentation import documentation_routes
from ccod_http.gate import Gate
from ccod_http.identity import REMEDY, Identifier, scheme_of
from ccod_http.looking import Looking, looked_at
from ccod_http.middleware import LIMIT_SECONDS, Middleware
from ccod_http.pacing import Pacer
from ccod_http.problems import Problem, answer, install_error_handlers, plain_problem
from ccod_http.reuse import Reuse
from ccod_http.settings import HttpSettings
from ccod_http.table import Table
from ccod_http.together import Together, counting_together

T = TypeVar("T")

log = structlog.get_logger("ccod.http")


class App(QuartTrio):
    """Routes by the path alone: Quart also reads the Host, before the gate and outside of any error handler."""

    def create_url_adapter(self, request: BaseRequestWebsocket | None) -> MapAdapter | None:
        if request is None:
            return None
        return self.url_map.bind("localhost", None, None, request.scheme, request.method, request.path)


def guarded_app(settings: HttpSettings) -> App:
    """Return an application without routes, which lets in nobody yet: see `admit`."""
    app = App("ccod_http", static_folder=None)
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = None  # `drain_body` bounds it
    install_error_handlers(app)
    Callers(settings.trusted_proxies).install(app)
    app.before_request(partial(drain_body, settings.max_body))
    Gate(settings).install(app)
    return app


def admit(  # noqa: PLR0913
    app: Quart,
    settings: HttpSettings,
    auth: Auth,
    table: Table,
    remedy: str = REMEDY,
    *,
    together: Together | None = None,
) -> None:
    """Let in whom the table of routes lets in, as often as the settings say; see `Identifier` and `Pacer`."""
    Identifier(settings, auth, table.is_unasked, remedy).install(app)
    Pacer(settings.limits, table, together).install(app)
    if together is not None:
        app.after_serving(together.close)
    table.install()
    Compression(table).install(app)


def build_app(settings: Settings, observatory: Observatory) -> Quart:
    """Return the application, with the routes of every plugin."""
    mine = settings[HttpSettings]
    app = guarded_app(mine)
    table = Table(app)
    machine = settings.core.machine_name
    asking = partial(_answers, looked_at(observatory, machine), settings)
    for plugin, blueprint in asking("ccod_http_blueprints", Blueprint):
        try:
            table.add(plugin, blueprint)
        except PluginError as error:
            observatory.faults.blame("ccod_http_blueprints", error)
    table.add("http", documentation_routes(table, scheme_of(observatory.auth)))
    table.guard(observatory.faults)
    offered = observatory.ask("ccod_http_counts", settings=settings, observatory=observatory)
    together = counting_together(mine.limits.shared, offered, observatory.faults)
    admit(app, mine, observatory.auth, table, together=together)
    Looking(machine, is_shared=observatory.storage.is_shared).install(app)
    for plugin, middleware in asking("ccod_http_middleware", Middleware):
        _install_middleware(app, plugin, middleware, observatory.faults)
    Reuse(observatory.storage, observatory.cache, table).install(app)
    return app


def _answers(observatory: Observatory, settings: Settings, hook: str, kind: type[T]) -> Iterator[tuple[str, T]]:
    """Yield each plugin's name with each thing that it answers a hook with."""
    for plugin, answered in observatory.ask(hook, settings=settings, observatory=observatory):
        try:
            things = _things(plugin, answered, hook, kind)
        except PluginError as error:
            observatory.faults.blame(hook, error)
        else:
            yield from ((plugin, thing) for thing in things)


def _things(plugin: str, answered: Iterable[object], hook: str, kind: type[T]) -> list[T]:
    try:
        things = list(answered)  # a generator may fail only now
    except CcodError:
        raise
    except Exception as error:
        raise PluginError(plugin, f"{hook} failed: {type(error).__name__}: {error}") from error
    right = [thing for thing in things if isinstance(thing, kind)]
    if len(right) < len(things):
        wrong = next(type(thing).__name__ for thing in things if not isinstance(thing, kind))
        raise PluginError(plugin, f"{hook} must answer with {kind.__name__} objects, not {wrong}")
    return right


def _install_middleware(app: Quart, plugin: str, middleware: Middleware, faults: Faults) -> None:
    """Ask `middleware` before, and after, each request. One that fails, or is late, refuses: it may be a guard."""

    async def before() -> Response | None:
        with faults.noting(plugin, "middleware", Problem, HTTPException), trio.fail_after(LIMIT_SECONDS):
            return await middleware.before()

    async def after(response: Response) -> Response:
        try:
            with faults.noting(plugin, "middleware"), trio.fail_after(LIMIT_SECONDS):
                answered = await middleware.after(response)
                if not isinstance(answered, Response):
                    raise TypeError(f"Response is wanted, not {type(answered).__name__}")
        except Exception as error:
            log.error("middleware failed", plugin=plugin, exc_info=error)
            return await answer(plain_problem(HTTPStatus.INTERNAL_SERVER_ERROR))
        return answered

    app.before_request(before)
    app.after_request(after)
