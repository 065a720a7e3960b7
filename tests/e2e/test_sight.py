"""Whoever does not see all machines hears of no other: by no route of docs/api.md, and by no WebSocket."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trio
from trio_websocket import wrap_client_stream

from ccod.testing.waiting import limit
from tests.e2e.access import API, Declared, documented
from tests.e2e.daemon import run_ccod
from tests.e2e.two_machines import HERE, MINE, THEIRS, THERE, WORD, Clients, open_both, open_two, write
from tests.postgres import reason_to_skip, running

if not API.exists():
    pytest.skip("the table of routes is in the source tree", allow_module_level=True)

THEIR_WORD = WORD[THERE]
QUERIES = {
    "/api/search": f"?q={THEIR_WORD}",
    "/api/streams": "?source=claude",
    "/api/conversations/{conversation_id}/messages": f"?agent=a{THEIR_WORD}",
}
"""What a route is asked besides: a new one that needs parameters must be named here."""
BODIES: Mapping[tuple[str, str], Any] = {
    ("PUT", "/api/projects/{project_id}"): {"name": "mine"},
    ("POST", "/api/projects"): {"claudePath": "/home/else"},
    ("POST", "/api/keys"): {"name": "key", "scopes": ["read"]},
}
LASTING = {"/api/events", "/ws"}
ENDING = {"/auth/logout", "/auth/password"}
SHOWN_TO_ADMINS = 18
"""At least so many routes tell an administrator of the other machine; else this test would see nothing."""
CHANNELS = ("conversations", "projects", "files", "system")


class Known:
    """The ids of the other machine's things."""

    def __init__(self, project: str, streams: list[str], attachment: str) -> None:
        self.project = project
        self.streams = streams
        self.attachment = attachment

    def fill(self, path: str, conversation: str, project: str) -> str:
        names = {"conversation": conversation, "project": project, "attachment": self.attachment}
        names |= {"stream": self.streams[0], "user": "nobody", "key": "nobody"}
        return re.sub(r"\{(\w+)_id\}", lambda found: names[found[1]], path) + QUERIES.get(path, "")


async def known(clients: Clients) -> Known:
    async def data(path: str) -> Any:
        return (await clients.local.get(path)).json()["data"]

    path = f"/api/conversations/{THEIRS}"
    streams = [each["id"] for each in (await data(f"{path}/archive"))["streams"]]
    attachment = (await data(f"{path}/attachments"))[0]["id"]
    return Known((await data(path))["projectId"], streams, attachment)


def told(text: str, their: Known) -> list[str]:
    """Return what of the other machine is in a text, beside the path that was asked for."""
    said = re.sub(r'"instance":"[^"]*"', "", text)
    return [word for word in (THEIR_WORD, THEIRS, their.project, THERE) if word in said]


def routes(*methods: str) -> list[Declared]:
    found = [each for each in documented() if each.method in methods and each.path not in LASTING | ENDING]
    return sorted(found, key=lambda each: (each.method != "GET", each))


def same(body: bytes) -> Any:
    """Return an error without what differs between any two."""
    return {**json.loads(body), "timestamp": "", "requestId": "", "instance": ""}


async def assert_hears_nothing(clients: Clients, their: Known, name: str) -> None:
    """Ask every route, with the ids of the other machine where it takes any."""
    for route in routes("GET", "POST", "PUT", "DELETE"):
        if route.method != "GET" and "_id}" not in route.path and (route.method, route.path) not in BODIES:
            continue
        body = BODIES.get((route.method, route.path))
        wanted = their.fill(route.path, THEIRS, their.project)
        answer = await clients.ask(name, route.method, wanted, body)
        assert answer.status_code not in {400, 422, 500, 503}, (route, answer.text)
        assert told(answer.text + repr(answer.headers), their) == [], route
        if re.search(r"\{(conversation|project)_id\}", route.path) and answer.status_code != 403:
            nobody = await clients.ask(name, route.method, their.fill(route.path, "nobody", "nobody"), body)
            assert (answer.status_code, same(answer.content)) == (404, same(nobody.content)), route
        if "{stream_id}" in route.path or "{attachment_id}" in route.path:
            crossed = await clients.ask(name, route.method, their.fill(route.path, MINE, their.project))
            assert crossed.status_code in {403, 404}, route


async def shown_to_an_admin(clients: Clients, their: Known) -> set[str]:
    """Return the routes by which an administrator is told of the other machine."""
    shown = set()
    for route in routes("GET"):
        answer = await clients.ask("admin", "GET", their.fill(route.path, THEIRS, their.project))
        assert answer.status_code < 400 or "nobody" in str(answer.url), (route, answer.text)
        if told(answer.text, their):
            shown.add(route.path)
    return shown


async def heard(clients: Clients, name: str, until: str, subscribed: trio.Event | None = None) -> str:
    """Return all that a WebSocket tells of all channels since the beginning, up to a message that has `until`."""
    text = ""
    server = urlsplit(clients.daemon.url)
    stream = await trio.open_tcp_stream("127.0.0.1", server.port or 80)
    async with stream, trio.open_nursery() as nursery:
        headers = [(key.encode(), value.encode()) for key, value in clients.headers(name).items()]
        connection = await wrap_client_stream(nursery, stream, server.netloc, "/ws", extra_headers=headers)
        for channel in CHANNELS:
            await connection.send_message(json.dumps({"type": "subscribe", "channel": channel, "since": 0}))
        with limit(30, f"message with {until!r}"):
            while until not in text:
                text += str(await connection.get_message())
                if subscribed is not None and text.count('"type":"live"') == len(CHANNELS):
                    subscribed.set()
        await connection.aclose()
    return text


async def events_of(clients: Clients, name: str, until: str) -> str:
    """Return what server-sent events tell of all channels since the beginning, up to where `until` stands."""
    said = b""
    head = f"GET /api/events?channel={','.join(CHANNELS)}&since=0 HTTP/1.1\r\nHost: localhost\r\n"
    head += "".join(f"{key}: {value}\r\n" for key, value in clients.headers(name).items())
    async with await trio.open_tcp_stream("127.0.0.1", urlsplit(clients.daemon.url).port or 80) as stream:
        await stream.send_all(f"{head}\r\n".encode())
        with limit(30, f"event with {until!r}"):
            while until.encode() not in said:
                said += await stream.receive_some()
    return said.decode()


async def assert_streams_tell_nothing(clients: Clients, their: Known) -> None:
    """Forget what is the other machine's while the user listens, then what is theirs: that is the end of what comes."""
    texts: list[str] = []

    async def listen() -> None:
        texts.append(await heard(clients, "user", "conversation_forgotten"))

    async def follow() -> None:
        texts.append(await events_of(clients, "user", "conversation_forgotten"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        nursery.start_soon(follow)
        await trio.sleep(0.5)
        for path in (f"/api/conversations/{THEIRS}", f"/api/projects/{their.project}", f"/api/conversations/{MINE}"):
            assert (await clients.ask("admin", "DELETE", path)).status_code == 200
    texts.append(await heard(clients, "user", "conversation_forgotten"))
    texts.append(await events_of(clients, "user", "conversation_forgotten"))
    text = "".join(texts)
    assert told(text, their) == []
    assert text.count(f'"event":"conversation_forgotten","conversationId":"{MINE}"') == 4


async def assert_metrics_tell_nothing(clients: Clients) -> None:
    """What the archive amounts to is told to who sees all of it."""
    url = (await clients.daemon.logged("listening too"))["url"]
    user, admin = [(await clients.ask(name, "GET", f"{url}/metrics")).text for name in ("user", "admin")]
    assert "ccod_http_request_duration_seconds" in user
    assert [word for word in ("claude_code", THEIR_WORD) if word in user] == []
    assert [word for word in ("claude_code", THEIR_WORD) if word in admin] == ["claude_code", THEIR_WORD]


async def assert_audit(clients: Clients) -> None:
    """What the administrator read of the other machine is in the log, and only that."""
    answer = await clients.ask("admin", "GET", "/api/audit?limit=100")
    reads = answer.json()["data"]
    by_admin = [each for each in reads if each["email"] == "admin@example.com"]
    assert {(each["conversationId"], each["machine"], each["servedBy"]) for each in reads} == {(THEIRS, THERE, HERE)}
    assert {each["email"] for each in reads} == {"admin@example.com", ""}  # and the owner on the Unix socket
    asked = {each["route"] for each in by_admin}
    path = "/api/conversations/{conversation_id}"
    below = ("messages", "entries", "export", "tool-calls", "subagents", "tree", "attachments", "archive")
    assert {f"GET {path}/{each}" for each in below} <= asked
    assert {"GET /api/search", "WEBSOCKET /ws"} <= asked
    assert asked.isdisjoint({f"GET {path}", f"GET {path}/usage", "GET /api/conversations"})
    assert [each["route"] for each in by_admin].count("WEBSOCKET /ws") == 1
    for name in ("user", "nobody"):
        assert (await clients.ask(name, "GET", "/api/audit")).status_code == 403


async def assert_matrix(clients: Clients) -> None:
    their = await known(clients)
    await clients.add("admin", "admin", HERE)
    await clients.add("user", "user", HERE)
    await clients.add("nobody", "user")
    await assert_hears_nothing(clients, their, "user")
    for path in ("/api/conversations", "/api/search?q=prompt", "/api/status", "/api/usage/daily"):
        answer = await clients.ask("nobody", "GET", path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "NO_MACHINES")
    mine = (await clients.ask("user", "GET", "/api/conversations")).json()["data"]
    assert [each["id"] for each in mine] == [MINE]
    assert [each["id"] for each in (await clients.daemon.get("/api/conversations"))["data"]] == [MINE]
    assert len((await clients.local.get("/api/conversations")).json()["data"]) == 2
    shown = await shown_to_an_admin(clients, their)
    assert len(shown) >= SHOWN_TO_ADMINS, shown
    assert told(await heard(clients, "admin", THEIR_WORD), their) != []
    await assert_audit(clients)
    await assert_metrics_tell_nothing(clients)
    await assert_streams_tell_nothing(clients, their)
    kept = await run_ccod(clients.daemon.home, "audit", "--config", str(clients.daemon.home.config), "--json")
    assert kept[0] == 0


@pytest.mark.timeout(300)
async def test_nobody_hears_of_a_machine_that_they_do_not_see(tmp_path: Path) -> None:
    async with open_two(tmp_path, {"jwt": {"sight": "own"}}) as clients:
        await assert_matrix(clients)


@pytest.mark.timeout(300)
async def test_nobody_hears_of_a_machine_that_they_do_not_see_on_postgres(tmp_path: Path) -> None:
    """Where the storage is shared, that needs no setting."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    with running() as server:
        url = server.url(server.fresh())
        async with open_two(tmp_path, {"postgres": {"url": url}}, CCOD_STORAGE="postgres") as clients:
            await assert_matrix(clients)


@pytest.mark.timeout(300)
async def test_what_another_daemon_stores_is_heard_live_by_who_sees_it(tmp_path: Path) -> None:
    """Two daemons at one database: a user at the one hears nothing of the other's, an administrator does."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    with running() as server:
        tables = {"postgres": {"url": server.url(server.fresh())}}
        async with open_both(tmp_path, tables, CCOD_STORAGE="postgres") as (there, clients):
            await clients.add("admin", "admin", HERE)
            await clients.add("user", "user", HERE)
            texts = {}

            async def listen(name: str, word: str, subscribed: trio.Event) -> None:
                texts[name] = await heard(clients, name, f"prompt {word}", subscribed)

            async with trio.open_nursery() as nursery:
                for name, word in (("user", WORD[HERE]), ("admin", THEIR_WORD)):
                    subscribed = trio.Event()
                    nursery.start_soon(listen, name, word, subscribed)
                    with limit(30, "subscription"):
                        await subscribed.wait()
                write(there.home.root, THEIRS, THEIR_WORD)
                with limit(30, "their session at the administrator's"):
                    while "admin" not in texts:
                        await trio.sleep(0.05)
                write(clients.daemon.home.root, MINE, WORD[HERE])
            assert told(texts["user"], await known(clients)) == []
            reads = (await clients.ask("admin", "GET", "/api/audit?user=admin@example.com")).json()["data"]
            assert [(each["route"], each["conversationId"], each["machine"]) for each in reads] == [
                ("WEBSOCKET /ws", THEIRS, THERE)
            ]


@pytest.mark.timeout(300)
async def test_where_all_see_all_nothing_is_noted(tmp_path: Path) -> None:
    async with open_two(tmp_path, {}) as clients:
        await clients.add("user", "user")
        answer = await clients.ask("user", "GET", f"/api/conversations/{THEIRS}/messages")
        assert THEIR_WORD in answer.text
        assert (await clients.local.get("/api/audit")).json()["data"] == []
        assert (await clients.ask("user", "GET", "/auth/profile")).json()["data"]["sees"] == "all"
