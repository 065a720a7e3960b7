"""The access table: every route there is, and who may ask. What is not in it is not served."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import wraps
from typing import Any

from msgspec import Struct
from quart import Blueprint, Quart
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Rule

from ccod import Faults, PluginError
from ccod_http.identity import require
from ccod_http.problems import Problem, current
from ccod_http.routes import Route, Routes


class Row(Struct, frozen=True):
    """A route, the path at which it is served, the plugin that offers it, and its name among all."""

    path: str
    plugin: str
    name: str
    route: Route


class Table:
    """Takes the plugins' routes into the application, each with its declaration."""

    def __init__(self, app: Quart) -> None:
        self._app = app
        self._rows: dict[str, Row] = {}

    @property
    def rows(self) -> Sequence[Row]:
        return list(self._rows.values())

    def add(self, plugin: str, blueprint: Blueprint) -> None:
        """Serve a blueprint. Raises PluginError, and serves none of it, where a route does not say who may ask."""
        known = {id(rule) for rule in self._app.url_map.iter_rules()}
        try:
            self._app.register_blueprint(blueprint)
        except Exception as error:
            raise PluginError(plugin, f"blueprint {blueprint.name!r}: {error}") from error
        rows: dict[str, Row] = {}
        declared = blueprint.declared if isinstance(blueprint, Routes) else {}
        for rule in self._app.url_map.iter_rules():
            if id(rule) in known:
                continue
            route = declared.get(rule.endpoint.removeprefix(f"{blueprint.name}."))
            if route is None or set(_methods(rule)) != {route.method}:
                problem = f"route {rule.rule!r} does not say who may ask; declare it with ccod_http.web.Routes"
                raise PluginError(plugin, problem)
            if route.takes - {"query", "body"} != rule.arguments:
                problem = f"route {rule.rule!r} names other arguments than its handler takes: {', '.join(route.takes)}"
                raise PluginError(plugin, problem)
            if any(_key(row.path, row.route) == _key(rule.rule, route) for row in (*self.rows, *rows.values())):
                raise PluginError(plugin, f"route {route.method} {rule.rule!r} is there already")
            rows[rule.endpoint] = Row(rule.rule, plugin, rule.endpoint, route)
        self._rows.update(rows)

    def guard(self, faults: Faults) -> None:
        """Name plugins of others for what their routes raise."""
        views: dict[str, Any] = self._app.view_functions
        for row in self.rows:
            if faults.is_stranger(row.plugin):
                views[row.name] = _guarded(views[row.name], row, faults)

    def install(self) -> None:
        """Let nobody in whom the table does not."""
        self._app.before_request(self.admit)
        self._app.before_websocket(self.admit)

    async def admit(self) -> None:
        route = self.route()
        if route is not None:  # or else there is no such route, which may be said to all
            require(route.access)
        elif current().url_rule is not None:
            raise NotFound  # of a blueprint that was refused

    def bears_secret(self) -> bool:
        """Tell whether the answer to the current request can bear a secret: nobody shall keep or compress it then."""
        route = self.route()
        return route is not None and (route.secret or route.access == "reveal" or "reveal" in current().args)

    def is_unasked(self) -> bool:
        """Tell whether the current request asks for a route that wants to know nobody."""
        route = self.route()
        return route is not None and route.unasked

    def route(self) -> Route | None:
        """Return the route that the current request asks for, if there is one."""
        rule = current().url_rule
        row = None if rule is None else self._rows.get(rule.endpoint)
        return None if row is None else row.route


def _guarded(view: Callable[..., Awaitable[Any]], row: Row, faults: Faults) -> Callable[..., Awaitable[Any]]:
    @wraps(view)
    async def guarded(**given: Any) -> Any:
        with faults.noting(row.plugin, f"route {row.path}", Problem, HTTPException):
            return await view(**given)

    return guarded


def _key(path: str, route: Route) -> tuple[str, str]:
    """Return what is the same for two routes of which the second could never be reached."""
    return route.method, re.sub(r"<(\w+:)?\w+>", r"<\1>", path)


def _methods(rule: Rule) -> Iterator[str]:
    if rule.websocket:
        yield "WEBSOCKET"
    else:
        yield from (rule.methods or set()) - {"HEAD"}
