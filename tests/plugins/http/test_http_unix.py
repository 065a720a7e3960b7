"""The Unix socket is the owner's alone, and there the owner is administrator."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import httpx
import pytest

from ccod import ConfigError, Conversation, UnavailableError
from ccod_http.unixsocket import open_unix_socket
from tests.plugins.http.serving import serving

ADMINS = (
    ("GET", "/api/conversations/c/archive"),
    ("GET", "/api/conversations/c/archive/1"),
    ("POST", "/api/reparse"),
    ("DELETE", "/api/conversations/c"),
    ("DELETE", "/api/projects/p"),
)


def over(path: Path, **headers: str) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    return httpx.AsyncClient(transport=transport, base_url="http://any.name.at.all", headers=headers)


async def test_the_socket_is_for_the_owners_eyes_only(tmp_path: Path) -> None:
    path = tmp_path / "run" / "ccod.sock"
    async with serving(socket=str(path)):
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        async with over(path) as client:
            assert (await client.get("/api/projects")).status_code == 200
            assert "details" in (await client.get("/health")).json()["data"]
    assert not path.exists()


async def test_only_an_administrator_changes_what_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "ccod.sock"
    async with serving(socket=str(path)) as server, server.client() as tcp, over(path) as unix:
        server.shelf.all_conversations.append(Conversation("c", None, "", "", "active", 0, 0, "/c", "m"))
        for method, route in ADMINS:
            answer = await tcp.request(method, route)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AUTH_REQUIRED")
            assert "[http] socket" in answer.json()["error"]["message"]
            assert (await unix.request(method, route)).status_code != 401


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Bearer x"}, {"Sec-Fetch-Site": "same-site"}, {"X-Forwarded-For": "1.2.3.4"}]
)
async def test_who_speaks_for_others_is_a_stranger_there_too(tmp_path: Path, headers: dict[str, str]) -> None:
    path = tmp_path / "ccod.sock"
    async with serving(socket=str(path)), over(path, **headers) as client:
        for method, route in ADMINS:
            assert (await client.request(method, route)).status_code == 401


def test_a_socket_that_was_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "ccod.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with open_unix_socket(str(path)) as sock:
        assert sock.getsockname() == str(path)
    assert not path.exists()


def test_the_socket_of_another_daemon_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ccod.sock"
    with open_unix_socket(str(path)) as held:
        held.listen()
        with pytest.raises(UnavailableError, match=r"in use by another daemon; stop it, or .*\[http\] socket"):
            open_unix_socket(str(path)).__enter__()
        assert path.exists()
        path.unlink()
        path.write_text("another's by now")
    assert path.exists()


@pytest.mark.parametrize("name", ["file", "x" * 200, "file/inside"])
def test_a_place_that_cannot_be_is_named_with_the_remedy(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"^\[http\] socket: .*name another file"):
        open_unix_socket(os.fspath(tmp_path / name)).__enter__()
