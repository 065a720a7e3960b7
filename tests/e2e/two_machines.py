"""A storage with what two machines kept in it, one after the other, and a daemon of the first that serves it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.home import Tables
from tests.e2e.lines import answer, line

MINE, THEIRS = "0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b", "beefbeef-4c5d-4e6f-8a9b-0c1d2e3f4a5b"
HERE, THERE = "alpha", "omega"
WORD = {HERE: "quince", THERE: "zyxomega"}
"""Stands in all that is of a machine, and nowhere else."""
PASSWORD = "four words on a wall"
SECRET = "hR7_vXq2mLw9Kd4tYb8sNz3fJp6gCe1a"
"""Daemons that share a storage must have the same."""


def write(root: Path, session: str, word: str) -> None:
    """Write a session with all that there can be in one."""
    folder = root / f"-home-{word}-demo"
    about: dict[str, Any] = {"session": session, "cwd": f"/home/{word}/demo", "gitBranch": word}
    agent = about | {"isSidechain": True, "agentId": f"a{word}"}
    odd = json.dumps({"type": f"odd-{word}", "uuid": f"{word}-1", "sessionId": session}).encode() + b"\n"
    named = json.dumps({"type": "custom-title", "customTitle": f"Title {word}", "sessionId": session}).encode() + b"\n"
    main = line(f"prompt {word}", **about) + answer(word, tool=f"Tool{word}", **about) + answer(word, **about)
    beside = {
        f"{session}/subagents/agent-a{word}.jsonl": line(word, **agent) + answer(word, **agent),
        f"{session}/subagents/agent-a{word}.meta.json": json.dumps({"description": f"Look for {word}"}).encode(),
        f"{session}/tool-results/{word}.txt": f"all that {word} is\n".encode(),
        f"{session}.jsonl": main + odd + named + b'{"cut\n',
    }
    for name, body in beside.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body.replace(b"claude-sonnet-4-5-20250929", f"claude-{word}".encode()))


class Clients:
    """Who asks: the owner on the Unix socket, and accounts by their names."""

    def __init__(self, daemon: Daemon, local: httpx.AsyncClient) -> None:
        self.daemon = daemon
        self.local = local
        self.tokens: dict[str, str] = {}

    async def add(self, name: str, role: str, *machines: str) -> None:
        email = f"{name}@example.com"
        account = {"email": email, "password": PASSWORD, "role": role, "machines": machines}
        made = await self.local.post("/api/users", json=account)
        assert made.status_code == 201, made.text
        logged = await self.local.post("/auth/login", json={"email": email, "password": PASSWORD})
        self.tokens[name] = logged.json()["data"]["accessToken"]

    def headers(self, name: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.tokens[name]}"}

    async def ask(self, name: str, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.daemon.client.request(method, path, json=body, headers=self.headers(name))


@asynccontextmanager
async def open_both(path: Path, tables: Tables, **variables: str) -> AsyncIterator[tuple[Daemon, Clients]]:
    """Open the daemons of both machines at once, on a storage that they share, and without any session."""
    shared = _shared(path, tables)
    async with open_daemon(path / THERE, shared, start=False) as there:
        there.home.variables.update(variables, CCOD_MACHINE=THERE)
        await there.start()
        async with _served(path, shared, **variables) as clients:
            yield there, clients


@asynccontextmanager
async def open_two(path: Path, tables: Tables, **variables: str) -> AsyncIterator[Clients]:
    """Keep a session of the other machine, then one of this, and serve both from this one."""
    shared = _shared(path, tables)
    async with open_daemon(path / THERE, shared, start=False) as there:
        there.home.variables.update(variables, CCOD_MACHINE=THERE)
        await there.start()
        write(there.home.root, THEIRS, WORD[THERE])  # what is there at the first look is no news
        await eventually(lambda: _holds(there.client, THEIRS, WORD[THERE]), "the other machine's session", 30)
        assert await there.terminate() == 0
    async with _served(path, shared, **variables) as clients:
        write(clients.daemon.home.root, MINE, WORD[HERE])
        await eventually(lambda: _holds(clients.local, MINE, WORD[HERE]), "this machine's session", 30)
        await eventually(lambda: _holds(clients.local, THEIRS, WORD[THERE]), "the other machine's session", 30)
        yield clients


def _shared(path: Path, tables: Tables) -> dict[str, dict[str, Any]]:
    """Return the settings of both."""
    settings: dict[str, dict[str, Any]] = {
        "sqlite": {"path": str(path / "shared.db")},
        "jwt": {"bcrypt_rounds": 4, "secret": SECRET},
    }
    for name, values in tables.items():
        settings.setdefault(name, {}).update(values)
    return settings


@asynccontextmanager
async def _served(path: Path, shared: Tables, **variables: str) -> AsyncIterator[Clients]:
    """Open the daemon of this machine."""
    socket = str(path / "ccod.sock")
    served = {**shared, "http": {"socket": socket, "limits": {"window": 0}}}
    async with open_daemon(path / HERE, served, start=False) as here:
        here.home.variables.update(variables, CCOD_MACHINE=HERE)
        await here.start()
        transport = httpx.AsyncHTTPTransport(uds=socket)
        async with httpx.AsyncClient(base_url=here.url, transport=transport) as local:
            yield Clients(here, local)


async def _holds(client: httpx.AsyncClient, session: str, word: str) -> bool:
    """Tell whether a session is stored with all that belongs to it, and found."""
    path = f"/api/conversations/{session}"
    if (await client.get(path)).status_code != 200:
        return False
    found = (await client.get("/api/search", params={"q": word})).json()["data"]
    streams = (await client.get(f"{path}/attachments")).json()["data"]
    messages = (await client.get(f"{path}/messages", params={"agent": f"a{word}"})).json()["data"]
    return len(found["hits"]) >= 5 and len(streams) == 2 and len(messages) == 2
