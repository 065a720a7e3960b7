"""A body is JSON that a struct describes, or refused with the reason; whatever it is, the server goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.plugins.http.serving import Server, serving

JSON = "application/json"


async def post(server: Server, body: bytes, content_type: str = JSON) -> tuple[int, dict[str, Any]]:
    async with server.client() as client:
        answer = await client.post("/note", content=body, headers={"Content-Type": content_type})
    return answer.status_code, answer.json()


async def test_a_body_reaches_its_handler_as_a_struct(server: Server) -> None:
    status, answer = await post(server, b'{"text": "x", "atHome": true}', "application/json; charset=utf-8")
    assert status == 201
    assert answer == {
        "success": True,
        "data": {"text": "x", "likes": 0, "weight": 0.0, "inner": {}, "atHome": True},
    }


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b'\xef\xbb\xbf{"text": "x"}', 400, None),
        ('{"text": "x"}'.encode("utf-16"), 400, None),
        (b'{"text": "\xff"}', 400, None),
        (b'{"text": "\\ud800"}', 400, None),
        (b'{"text": "x", "weight": NaN}', 400, None),
        (b'{"text": "x", "inner": {"a": Infinity}}', 400, None),
        (b'{"text": "x", "weight": 1e999}', 422, "weight"),
        (b'{"text": "x", "inner": {"a": ' + b"9" * 5000 + b"}}", 400, None),
        (b'{"text": "x", "text": "y"}', 400, None),
        (b'{"text": "x", "inner": {"a": {"b": 1, "b": 2}}}', 400, None),
        (b'{"text": "x"} {}', 400, None),
        (b"[]", 422, ""),
        (b"null", 422, ""),
        (b"{}", 422, ""),
        (b'{"text": "x", "extra": 1}', 422, ""),
        (b'{"text": 1}', 422, "text"),
        (b'{"text": "x", "likes": "1"}', 422, "likes"),
        (b'{"text": "x", "likes": 1.5}', 422, "likes"),
        (b'{"text": "x", "inner": []}', 422, "inner"),
        (json.dumps({"text": "x" * 101}).encode(), 422, "text"),
        (json.dumps({"text": "x", "inner": {str(n): n for n in range(1000)}}).encode(), 422, ""),
        (b'{"text": "x", "inner": {"a": ' + b"[" * 31 + b"]" * 31 + b"}}", 422, ""),
        (b"[" * 100_000, 422, ""),
        (b'{"text":' * 100_000, 422, ""),
    ],
)
async def test_a_body_that_does_not_fit_is_refused(server: Server, body: bytes, status: int, field: str | None) -> None:
    got, answer = await post(server, body)
    assert got == status, answer
    if field is not None:
        assert [detail["field"] for detail in answer["error"]["details"]] == [field]


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
async def test_a_body_of_another_type_is_refused(server: Server, content_type: str) -> None:
    assert (await post(server, b'{"text": "x"}', content_type))[0] == 415


@pytest.mark.parametrize(
    ("encoding", "status"), [("gzip", 415), ("br", 415), ("gzip, identity", 415), ("Identity", 201)]
)
async def test_a_body_that_is_encoded_is_refused(server: Server, encoding: str, status: int) -> None:
    headers = {"Content-Type": JSON, "Content-Encoding": encoding}
    async with server.client(**headers) as client:
        assert (await client.post("/note", content=b'{"text": "x"}')).status_code == status


async def test_a_body_that_is_too_long_is_refused() -> None:
    async with serving(max_body=1024) as server:
        assert (await post(server, json.dumps({"text": "x" * 1024}).encode()))[0] == 413


async def test_a_body_where_none_is_taken_is_refused(server: Server) -> None:
    async with server.client() as client:
        assert (await client.request("DELETE", "/unsaid", json={})).status_code == 400
        assert (await client.request("DELETE", "/unsaid", content=b"x")).status_code == 415
        assert (await client.request("DELETE", "/unsaid")).status_code == 204
