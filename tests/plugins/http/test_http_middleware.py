"""What a plugin puts before and behind every route."""

from __future__ import annotations

import pytest
import structlog
from quart import Quart, Response, request

from ccod import PluginError
from ccod_http.middleware import install_middleware
from ccod_http.web import Middleware, Problem, current_user
from tests.plugins.http.serving import serving


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
        ("middleware failed", "probe")
    ]


def test_what_is_no_middleware_is_refused_at_start() -> None:
    with pytest.raises(PluginError, match=r"plugin 'mine': ccod_http_middleware must answer with Middleware objects"):
        install_middleware(Quart("test"), "mine", object())
