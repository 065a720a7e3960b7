"""Connections that are slow, idle or too many cost the others nothing, and are told why."""

from __future__ import annotations

import errno
import json
import logging
import resource

import pytest
import structlog
import trio

from ccod_http.crowd import Crowd
from ccod_http.guards import GuardedConfig
from tests.plugins.http.serving import Server, read_all, serving

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def problem(answer: bytes) -> tuple[int, int, str]:
    """Return the status of the answer, that in its envelope, and the code."""
    head, _, body = answer.partition(b"\r\n\r\n")
    said = json.loads(body)
    assert said["success"] is False
    return int(head[9:12]), said["status"], said["error"]["code"]


@pytest.mark.parametrize("sent", [b"GET", b"GET /health HTTP/1.1\r\nHost: local"])
async def test_headers_that_do_not_come_in_time_are_given_up(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedConfig, "keep_alive_timeout", 1.0)  # who has said nothing by then gets no answer
    async with serving() as server, await server.connect() as slow:
        await slow.send_all(sent)
        assert problem(await read_all(slow)) == (408, 408, "REQUEST_TIMEOUT")


async def test_who_keeps_a_refused_connection_open_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """One such client ended the whole server, without a word in the log."""
    monkeypatch.setattr(GuardedConfig, "linger_seconds", 0.1)
    async with serving() as server, await server.connect() as stubborn:
        await stubborn.send_all(b"nonsense\r\n\r\n")
        assert problem(await read_all(stubborn))[0] == 400
        with trio.fail_after(5):
            while server.connections("05"):  # FIN_WAIT2: closed by the server, open for the client
                await trio.sleep(0.01)
        await trio.sleep(0.3)
        assert not server.stopped.is_set()
        assert (await server.say(HEALTH)).startswith(b"HTTP/1.1 200")


async def test_headers_that_trickle_are_given_up_as_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedConfig, "keep_alive_timeout", 1.0)  # who has said nothing by then gets no answer
    async with serving() as server, await server.connect() as slow, trio.open_nursery() as nursery:

        async def trickle() -> None:
            for byte in b"GET /health HTTP/1.1\r\nX: " + b"x" * 10_000:
                try:
                    await slow.send_all(bytes([byte]))
                except trio.BrokenResourceError:
                    return
                await trio.sleep(0.02)

        nursery.start_soon(trickle)
        assert problem(await read_all(slow))[0] == 408
        nursery.cancel_scope.cancel()


async def test_who_says_nothing_is_let_go_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedConfig, "keep_alive_timeout", 0.3)
    async with serving() as server, await server.connect() as idle, await server.connect() as kept:
        await kept.send_all(HEALTH.replace(b"close", b"keep-alive"))
        assert await read_all(idle) == b""
        assert (await read_all(kept)).count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("said", [b"", HEALTH.replace(b"close", b"keep-alive")])
async def test_who_has_gone_takes_no_room(server: Server, said: bytes) -> None:
    async with await server.connect() as stream:
        await stream.send_all(said)
        while said and not (await stream.receive_some()).endswith(b"}"):
            pass
    with trio.fail_after(GuardedConfig.keep_alive_timeout / 2):
        while server.connections("08"):
            await trio.sleep(0.01)


async def test_a_body_that_does_not_come_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccod_http.body.SECONDS", 0.3)
    async with serving() as server, await server.connect() as slow:
        await slow.send_all(b"POST /note HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n{")
        assert problem(await read_all(slow)) == (408, 408, "REQUEST_TIMEOUT")


async def test_an_address_has_so_many_connections_and_one_more_is_told() -> None:
    async with serving(limits={"connections_per_address": 3}) as server:
        first, *others = [await server.connect() for _ in range(3)]
        async with await server.connect() as one_more:
            await one_more.send_all(HEALTH)
            answer = await read_all(one_more)
            assert problem(answer) == (503, 503, "SERVICE_UNAVAILABLE")
            assert b"retry-after: 5" in answer
        await first.aclose()
        with trio.fail_after(5):
            while not (await server.say(HEALTH)).startswith(b"HTTP/1.1 200"):
                await trio.sleep(0.01)
        for stream in others:
            await stream.aclose()


def test_all_addresses_share_what_there_is() -> None:
    crowd = Crowd(2, 2)
    with crowd.join("a") as a, crowd.join("b") as b, crowd.join("c") as c:
        assert (a, b, c) == (True, True, False)
    with crowd.join("c") as c:
        assert c


def test_half_of_the_files_is_left_for_other_things() -> None:
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, most))
        crowd = Crowd(100_000, 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    joined = [crowd.join("a") for _ in range(101)]
    assert [each.__enter__() for each in joined] == [True] * 100 + [False]


async def test_the_want_of_files_is_told_once(server: Server) -> None:
    with structlog.testing.capture_logs() as logs:
        for _ in range(50):  # as trio does
            logging.getLogger("trio.serve_listeners").error("accept returned %s", errno.errorcode[errno.EMFILE])
    assert [log["event"] for log in logs].count(
        "no connection can be accepted: too many files are open; raise the limit (ulimit -n)"
    ) <= 1
    async with server.client() as client:
        assert (await client.get("/health")).status_code == 200
