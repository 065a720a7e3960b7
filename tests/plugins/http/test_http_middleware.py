"""What a plugin puts before and behind every route."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import structlog
import trio
from quart import Response, request

from ccod import Bus, Health, Observatory, PluginError, Settings
from ccod.settings import CoreSettings
from ccod.testing.shelf import Shelf
from ccod_http.app import build_app
from ccod_http.web import HttpSettings, Middleware, Problem, Routes, current_user
from ccod_jwt.auth import JwtAuth
from ccod_jwt.settings import JwtSettings
from tests.plugins.http.serving import SECRET, do_at_once, serving


class Curfew(Middleware):
    """Refuses, answers, marks, and fails, as it is asked to."""

    async def before(self) -> Response | None:
        match request.args.get("do"):
            case "refuse":
                raise Problem(403, "CURFEW", "It is too late.")
            case "answer":
                user = current_user()
                return Response(user.role if user else "stranger")
            case "break":
                raise RuntimeError("secret")
        return None

    async def after(self, response: Response) -> Response:
        if request.path == "/nowhere":
            raise RuntimeError("secret")
        response.headers["X-Curfew"] = str(response.status_code)
        return response


async def test_middleware_stands_before_and_behind_every_route() -> None:
    async with serving(middleware=[Curfew()]) as server, server.client() as client:
        for path, status in (
            ("/health", 200),
            ("/health?do=refuse", 403),
            ("/health?do=answer", 200),
            ("/health?do=break", 500),
            ("/boom", 500),
        ):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["X-Curfew"]) == (status, str(status)), path
            assert answer.headers["X-Frame-Options"] == "DENY"
        assert (await client.get("/health?do=answer")).text == "owner"
        assert (await client.get("/health?do=refuse")).json()["error"]["code"] == "CURFEW"


async def test_middleware_lets_nobody_in_whom_the_server_does_not() -> None:
    async with serving(middleware=[Curfew()]) as server, server.client() as client:
        path = "/api/projects?do=answer"
        assert (await client.get(path, headers={"Authorization": "Bearer x"})).status_code == 401
        assert (await client.get(path, headers={"Host": "evil.example"})).status_code == 421
        assert (await client.get(path, headers={"Origin": "http://evil.example"})).status_code == 403


async def test_a_middleware_that_fails_is_a_fault_and_named() -> None:
    async with serving(middleware=[Curfew()]) as server, server.client() as client:
        with structlog.testing.capture_logs() as logs:
            answer = await client.get("/nowhere")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
    assert "secret" not in answer.text
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert [(log["event"], log["plugin"]) for log in logs if log["log_level"] == "error"] == [
        ("plugin failed", "probe"),
        ("middleware failed", "probe"),
    ]


def failing() -> Iterator[Middleware]:
    yield Curfew()
    raise ValueError("no clock")


@pytest.mark.parametrize(
    ("answered", "problem"),
    [([object()], "must answer with Middleware objects"), (failing(), "failed: ValueError: no clock"), (3, "failed")],
)
def test_a_plugin_that_answers_wrongly_is_named_at_start(answered: Any, problem: str) -> None:
    def ask(hook: str, **values: object) -> Sequence[tuple[str, Any]]:
        return [("mine", answered)] if hook == "ccod_http_middleware" else []

    settings = Settings(CoreSettings(), {HttpSettings: HttpSettings()})
    shelf = Shelf()
    auth = JwtAuth(JwtSettings(secret=SECRET), shelf)
    observatory = Observatory(shelf, auth, Bus(), Health(), {}, trio.Event(), ask, do_at_once)
    with pytest.raises(PluginError, match=rf"plugin 'mine': ccod_http_middleware {problem}"):
        build_app(settings, observatory)


class Oops(BaseException):
    """No Exception, so that no `except Exception` holds it."""


OUTLANDISH = [Oops("secret"), SystemExit(3), KeyboardInterrupt(), BaseExceptionGroup("all", [Oops("secret")])]


def breaking() -> Routes:
    routes = Routes("breaking", __name__, url_prefix="/breaking")

    @routes.get("/<int:number>", access="read")
    async def broken(number: int) -> str:
        """Break."""
        raise OUTLANDISH[number]

    @routes.get("/refusing", access="read", errors=[403])
    async def refusing() -> str:
        """Refuse."""
        raise Problem(403, "CURFEW", "It is too late.")

    return routes


async def test_whatever_a_route_of_others_raises_is_a_fault_and_named() -> None:
    async with serving(breaking(), own=["rest"]) as server, server.client() as client:
        assert (await client.get("/breaking/refusing")).status_code == 403
        assert not [reason for name, reason in server.health.reasons if name == "plugin probe"]
        for number in range(len(OUTLANDISH)):
            answer = await client.get(f"/breaking/{number}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
            assert "secret" not in answer.text
        (reason,) = [reason for name, reason in server.health.reasons if name == "plugin probe"]
        assert reason.text == "route /breaking/<int:number>: Oops: secret"


class Abrupt(Middleware):
    async def before(self) -> Response | None:
        raise SystemExit(3)

    async def after(self, response: Response) -> Response:
        raise KeyboardInterrupt


async def test_whatever_a_middleware_raises_refuses_the_request() -> None:
    async with serving(middleware=[Abrupt()]) as server, server.client() as client:
        assert [(await client.get("/health")).status_code for _ in range(2)] == [500, 500]
