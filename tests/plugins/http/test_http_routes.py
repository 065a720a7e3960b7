"""A route says who may ask and what it takes, or the daemon does not start."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from quart import Blueprint, Quart, Response

from ccod import RIGHTS, PluginError, User, may
from ccod_http.table import Table
from ccod_http.web import Routes
from tests.plugins.http.serving import Server


async def handler() -> None:
    pass


def bare() -> Blueprint:
    routes = Blueprint("more", __name__)
    routes.get("/more")(handler)  # type: ignore[type-var]
    return routes


def bare_socket() -> Blueprint:
    routes = Blueprint("more", __name__)
    routes.websocket("/more")(handler)
    return routes


def around() -> Routes:
    routes = Routes("more", __name__)
    routes.add_url_rule("/more", "handler", handler)  # type: ignore[arg-type]
    return routes


def other_method() -> Routes:
    routes = Routes("more", __name__)
    routes.get("/other", access="public")(handler)
    routes.add_url_rule("/more", "handler", methods=["DELETE"])
    return routes


def nested() -> Routes:
    routes = Routes("outer", __name__)
    routes.register_blueprint(bare())
    return routes


@pytest.mark.parametrize("blueprint", [bare, bare_socket, around, other_method, nested])
def test_a_route_that_does_not_say_who_may_ask_is_refused_at_start(blueprint: Callable[[], Blueprint]) -> None:
    with pytest.raises(PluginError, match=r"plugin 'mine': route '/more' does not say who may ask"):
        Table(Quart("test")).add("mine", blueprint())


def test_a_route_that_is_there_already_is_refused_at_start() -> None:
    table = Table(Quart("test"))
    for name, plugin in (("one", "first"), ("two", "second")):
        routes = Routes(name, __name__)
        routes.get("/more", access="public")(handler)
        if plugin == "first":
            table.add(plugin, routes)
        else:
            with pytest.raises(PluginError, match=r"plugin 'second': route GET '/more' is there already"):
                table.add(plugin, routes)


def test_a_route_that_can_never_be_reached_is_refused_at_start() -> None:
    table = Table(Quart("test"))

    async def one(first: str) -> None:
        pass

    async def other(second: str) -> None:
        pass

    routes = Routes("more", __name__)
    routes.get("/more/<first>", access="public")(one)
    routes.get("/more/<second>", access="public")(other)
    with pytest.raises(PluginError, match=r"route GET '/more/<second>' is there already"):
        table.add("mine", routes)


def test_a_handler_that_takes_something_else_than_its_path_names_is_refused_at_start() -> None:
    async def one(plant: str, qurey: str) -> None:
        pass

    routes = Routes("more", __name__)
    routes.get("/more/<plant>", access="public")(one)
    with pytest.raises(PluginError, match=r"'/more/<plant>' names other arguments than .*: plant, qurey"):
        Table(Quart("test")).add("mine", routes)


async def test_a_handler_whose_types_say_too_little_is_refused() -> None:
    routes = Routes("more", __name__)

    async def untyped():  # type: ignore[no-untyped-def]
        pass

    async def odd_body(body: dict[str, str]) -> None:
        pass

    async def own() -> Response:
        return Response()

    for wrong, problem in ((untyped, "what it returns"), (odd_body, "subclass of Body"), (own, "names `media`")):
        with pytest.raises(TypeError, match=problem):
            routes.post("/x", access="public")(wrong)
    with pytest.raises(TypeError, match="'anybody' is no access"):
        routes.get("/x", access="anybody")(handler)  # type: ignore[arg-type]


async def test_options_tells_the_methods_of_a_path(server: Server) -> None:
    async with server.client() as client:
        answer = await client.options("/api/projects/p")
        assert (answer.status_code, answer.headers["Allow"]) == (204, "DELETE, GET, HEAD, PUT, OPTIONS")
        assert "Access-Control-Allow-Methods" not in answer.headers
        assert (await client.options("/nowhere")).status_code == 404


@pytest.mark.parametrize(
    ("user", "rights"),
    [
        (None, set()),
        (User("1", "", "owner"), {"read"}),
        (User("1", "", "user"), {"read", "write"}),
        (User("1", "", "admin"), {"read", "write", "reveal", "admin"}),
        (User("1", "", "user", frozenset({"read", "admin"})), {"read"}),
        (User("1", "", "admin", frozenset({"write"})), {"write"}),
        (User("1", "", "admin", frozenset()), set()),
    ],
)
def test_scopes_narrow_what_a_role_may(user: User | None, rights: set[str]) -> None:
    assert may(user, "public")
    assert {right for right in RIGHTS["admin"] if may(user, right)} == rights
