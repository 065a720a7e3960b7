"""Daemons with one server of Redis: no answer is another's or an old one, whatever becomes of the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.home import Home
from tests.e2e.lines import line
from tests.redisserver import RedisServer, reason_to_skip, running

if reason := reason_to_skip():
    pytest.skip(reason, allow_module_level=True)

import redis

SESSION = "0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5d"
PATH = f"/api/conversations/{SESSION}/messages"


def write(home: Home, text: str) -> None:
    path = home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(line(text, session=SESSION))


def tables(server: RedisServer) -> dict[str, dict[str, Any]]:
    return {"redis": {"url": server.url}}


async def texts(daemon: Daemon) -> list[str]:
    status = await daemon.status(PATH)
    return [] if status == 404 else [each["content"] for each in (await daemon.get(PATH))["data"]]


async def until(daemon: Daemon, wanted: list[str]) -> None:
    with trio.fail_after(30):
        while await texts(daemon) != wanted:
            await trio.sleep(0.02)


async def reasons(daemon: Daemon) -> list[tuple[str, str]]:
    told = (await daemon.get("/health"))["data"]["details"]["reasons"]
    return [(each["code"], each["fix"]) for each in told]


async def test_answers_are_had_again_and_two_daemons_never_take_one_anothers(tmp_path: Path) -> None:
    """The same address asked of both, whose databases have the same revisions, but not the same messages."""
    with running() as server:
        async with (
            open_daemon(tmp_path / "one", tables(server), start=False) as one,
            open_daemon(tmp_path / "other", tables(server), start=False) as other,
        ):
            for daemon, text in ((one, "of one"), (other, "of the other")):
                daemon.home.variables["CCOD_CACHE"] = "redis"
                write(daemon.home, text)
                await daemon.start()
            await until(one, ["of one"])
            await until(other, ["of the other"])
            client = redis.Redis.from_url(server.url)
            for _ in range(5):
                assert await texts(one) == ["of one"]
                assert await texts(other) == ["of the other"]
            hits = int(client.info("stats")["keyspace_hits"])
            assert await texts(one) == ["of one"]
            assert int(client.info("stats")["keyspace_hits"]) > hits
            assert client.exists("ccod:index")
            write(one.home, "news")
            await until(one, ["of one", "news"])
            assert await texts(other) == ["of the other"]


async def test_a_server_that_is_killed_and_hangs_costs_no_answer_and_makes_none_old(tmp_path: Path) -> None:
    written: list[str] = []

    async def add(daemon: Daemon) -> None:
        written.append(f"line {len(written)}")
        write(daemon.home, written[-1])
        await until(daemon, written)

    with running() as server:
        async with open_daemon(tmp_path, tables(server), start=False) as daemon:
            daemon.home.variables["CCOD_CACHE"] = "redis"
            write(daemon.home, "line 0")
            written.append("line 0")
            await daemon.start()
            await until(daemon, written)
            assert await reasons(daemon) == []
            seen: list[int] = []
            async with trio.open_nursery() as nursery:
                nursery.start_soon(keep_reading, daemon, seen)
                for _ in range(5):
                    server.kill()
                    await add(daemon)
                    server.start()
                    await add(daemon)
                server.hang()
                await add(daemon)
                assert await reasons(daemon) == [("CACHE_AWAY", "start it, and look at the network between")]
                assert (await daemon.get("/health"))["data"]["status"] == "degraded"
                server.wake()
                await add(daemon)
                with trio.fail_after(30):
                    while seen[-1:] != [len(written)]:
                        await trio.sleep(0.01)
                nursery.cancel_scope.cancel()
            client = redis.Redis.from_url(server.url)
            with trio.fail_after(20):  # once the pause is over it is asked again
                while not client.exists("ccod:index"):
                    await texts(daemon)
                    await trio.sleep(0.1)
            await daemon.terminate()
            told = [said for said in daemon.stderr if "CACHE_AWAY" in said]
            assert len(told) == 1, told
            assert not [said for said in daemon.stderr if "Traceback" in said]


async def keep_reading(daemon: Daemon, seen: list[int]) -> None:
    """Read the messages without end: each time it is all that was there before, and perhaps more."""
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=30) as client:
        while True:
            answer = await client.get(daemon.url + PATH)
            assert answer.status_code == 200
            count = len(answer.json()["data"])
            assert count >= (seen[-1] if seen else 0)
            seen.append(count)
            await trio.sleep(0.05)
