"""Every error has one shape, whoever raised it."""

from __future__ import annotations

import re

import pytest
import structlog

from ccod import StorageUnavailableError
from ccod_http.problems import plain_problem
from tests.plugins.http.serving import Server

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("GET", "/health/", 404, "NOT_FOUND"),
        ("GET", "/api/projects/none", 404, "NOT_FOUND"),
        ("PUT", "/api/projects", 405, "METHOD_NOT_ALLOWED"),
        ("TRACE", "/health", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/projects?page=0", 400, "VALIDATION_FAILED"),
        ("GET", "/echo", 400, "BAD_REQUEST"),
        ("GET", "/boom", 500, "INTERNAL_ERROR"),
    ],
)
async def test_an_error_is_an_envelope_and_a_problem_document(
    server: Server, method: str, path: str, status: int, code: str
) -> None:
    async with server.client() as client:
        with structlog.testing.capture_logs() as logs:
            response = await client.request(method, path)
    problem = response.json()
    assert response.status_code == problem["status"] == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (problem["success"], problem["error"]["code"]) == (False, code)
    assert problem["detail"] == problem["error"]["message"]
    assert problem["title"]
    assert problem["type"] == "about:blank"
    assert problem["instance"] == path.partition("?")[0]
    assert ISO.fullmatch(problem["timestamp"])
    assert problem["requestId"] == response.headers["X-Request-ID"]
    assert "secret" not in response.text
    assert [log["request"] for log in logs if log["log_level"] == "error"] == [problem["requestId"]] * (status == 500)
    assert ("Allow" in response.headers) == (status == 405)


async def test_a_storage_that_is_away_is_503(server: Server) -> None:
    server.shelf.failure = StorageUnavailableError("disk full: /home/x")
    async with server.client() as client:
        response = await client.get("/api/projects")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "/home/x" not in response.text


@pytest.mark.parametrize(("given", "kept"), [("abc-1.2_3", True), ("a b", False), ("x" * 65, False), ("é", False)])
async def test_a_plain_request_id_is_kept(server: Server, given: str, kept: bool) -> None:
    async with server.client() as client:
        response = await client.get("/health", headers=[(b"X-Request-ID", given.encode())])
    assert (response.headers["X-Request-ID"] == given) == kept


@pytest.mark.parametrize(
    "path", ["/api/projects/%ff", "/api/projects/%00", "/api/projects/%ed%a0%80", "/%c0%ae", "/%2e%2e/x"]
)
async def test_odd_paths_are_404(server: Server, path: str) -> None:
    answer = await server.say(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404")
    answer.decode("utf-8")


async def test_a_head_has_no_body(server: Server) -> None:
    answer = await server.say(b"HEAD /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(("status", "code"), [(413, "PAYLOAD_TOO_LARGE"), (414, "REQUEST_URI_TOO_LONG")])
def test_codes_are_those_of_the_document_whatever_python_calls_them(status: int, code: str) -> None:
    assert plain_problem(status).code == code
