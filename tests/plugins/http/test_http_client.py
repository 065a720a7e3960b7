"""How the commands find the daemon: by the owner's Unix socket, or by TCP with TLS; `ccod tail` as all the others."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from trio_websocket import WebSocketConnection

from ccod import ConfigError, Settings, UnavailableError
from ccod.settings import CoreSettings
from ccod_http.client import RefusedError, get
from ccod_http.settings import HttpSettings
from ccod_ws.dialling import call
from tests.plugins.http.serving import Server, serving
from tests.plugins.http.test_http_tls import Files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("tls"))


def known(server: Server, **settings: Any) -> HttpSettings:
    return msgspec.convert({"host": "127.0.0.1", "port": server.port, "socket": ""} | settings, HttpSettings)


async def ask(http: HttpSettings) -> Any:
    return await trio.to_thread.run_sync(partial(get, Settings(CoreSettings(), {HttpSettings: http}), "/whoami"))


async def echo(http: HttpSettings) -> object:
    heard: list[object] = []

    async def talk(connection: WebSocketConnection) -> None:
        await connection.send_message("hello")
        heard.append(await connection.get_message())

    with trio.fail_after(20):
        await call(http, "/echo", talk)
    return heard.pop()


@pytest.mark.parametrize("tls", [False, True])
async def test_the_unix_socket_goes_before_whatever_tcp_serves(
    tls: bool, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = {"access": "login", "socket": "~/ccod.sock"} | (files.settings if tls else {})
    async with serving(**settings) as server:
        assert (await ask(known(server, **settings)))["user"] == "owner"
        assert await echo(known(server, **settings)) == "hello"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_tcp_is_asked_by_tls_where_it_serves_that(host: str, files: Files, tmp_path: Path) -> None:
    async with serving(**files.settings) as server:
        http = known(server, **files.settings, host=host, socket=str(tmp_path / "gone.sock"))
        assert await ask(http) == {"address": "127.0.0.1", "scheme": "https", "user": "owner"}
        assert await echo(http) == "hello"


async def test_who_shows_another_certificate_is_told_nothing(files: Files, tmp_path: Path) -> None:
    other = known(Server(0, *[None] * 5), **Files(tmp_path).settings)  # type: ignore[arg-type]
    for settings in (files.settings, {}):
        async with serving(**settings) as server:
            other.port = server.port
            for way in (ask, echo):
                with pytest.raises(UnavailableError, match=r"does not show the certificate of \[http\] certfile"):
                    await way(other)


async def test_a_server_of_every_address_is_asked_by_a_name_that_it_answers_to() -> None:
    settings: dict[str, Any] = {"host": "0.0.0.0", "access": "login", "insecure": True}
    async with serving(**settings) as server:
        assert (await ask(known(server, **settings)))["user"] is None


async def test_a_refusal_says_what_the_daemon_says() -> None:
    async def nothing(_: WebSocketConnection) -> None: ...

    async with serving(access="login") as server:
        with pytest.raises(UnavailableError, match="This needs a token"):
            await call(known(server), "/guarded", nothing)
        with pytest.raises(RefusedError):
            await trio.to_thread.run_sync(
                partial(get, Settings(CoreSettings(), {HttpSettings: known(server)}), "/api/projects")
            )


async def test_a_certificate_that_is_none_is_the_mistake_of_who_named_it(tmp_path: Path) -> None:
    wrong = tmp_path / "cert.pem"
    wrong.write_text("nothing")
    with pytest.raises(ConfigError, match=r"\[http\] certfile: .*holds no certificate"):
        await ask(HttpSettings(socket="", port=1, certfile=str(wrong), keyfile=str(wrong)))
