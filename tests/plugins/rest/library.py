"""A whole small house for reading: real files of SQLite, the real parser and redactor, and the HTTP server."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import structlog
import trio

import ccod_ws
from ccod import Batch, Bus, Checkpoint, Faults, Health, Observatory, Record, Redactor, Settings, Stored, Stream, User
from ccod.settings import CoreSettings
from ccod_claude.parser import ClaudeParser
from ccod_http.settings import HttpSettings
from ccod_http.transport import HttpTransport
from ccod_prices import ccod_prices
from ccod_prices.settings import PricesSettings
from ccod_redact.rules import RULES
from ccod_rest import ccod_http_blueprints
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from ccod_ws.settings import WsSettings

SESSION = "11111111-2222-4333-8444-555555555555"


class Everyone:
    """An auth for which everybody is the same."""

    challenge = "Bearer"

    def __init__(self, role: Any) -> None:
        self._user = User("1", "one@example.org", role)

    async def __aenter__(self) -> Everyone:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def identify(self, peer: object) -> User:
        return self._user

    async def ended(self, user: User) -> None:
        await trio.sleep_forever()


@dataclass
class Library:
    storage: SqlStorage
    observatory: Observatory
    http: httpx.AsyncClient
    settings: Settings
    logs: list[Any]
    session: str = SESSION
    lines: int = 0
    size: int = 0

    async def add(self, *lines: dict[str, Any] | bytes, index: bool = True) -> None:
        """Store lines of the transcript, and index them."""
        parser, records = ClaudeParser(), []
        for line in lines:
            body = line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() + b"\n"
            records.append(Record(self.size, body))
            self.size += len(body)
        stream = Stream(f"key-{self.session}", "claude", f"/t/{self.session}.jsonl", self.session)
        parsed = [entry for record in records for entry in parser.parse(stream, record)]
        stored = await self.storage.append("claude", Batch(stream, records, Checkpoint(self.size)), parsed)
        self.observatory.bus.publish(stored)
        if index:
            await self.index()

    async def index(self) -> int:
        """Let the storage work until there is nothing to do; return how many steps that took."""
        steps = 0
        while await self.storage.maintain(self.observatory.health) is not None:
            steps += 1
        return steps

    def said(self, role: str, content: Any, **fields: Any) -> dict[str, Any]:
        """Return a line of the transcript, a minute after the last."""
        self.lines += 1
        message = {"role": role, "content": content}
        if role == "assistant":
            message |= {"id": f"msg_{self.lines}", "model": "claude-opus-4-5", "usage": {"output_tokens": 1}}
        return {
            "type": role,
            "uuid": f"00000000-0000-4000-8000-{self.lines:012}",
            "timestamp": f"2026-01-01T{self.lines // 60:02}:{self.lines % 60:02}:00.000Z",
            "sessionId": self.session,
            "cwd": "/home/u/garden",
            "message": message,
        } | fields

    async def get(self, path: str, **query: Any) -> Any:
        return (await self.http.get(path, params=query)).json()

    async def hits(self, q: str, **query: Any) -> list[str]:
        """Return the text of each snippet that a search finds."""
        answer = await self.get("/api/search", q=q, **query)
        return [hit["snippet"]["text"] for hit in answer["data"]["hits"]]


async def _at_once(work: Callable[[], Awaitable[Stored | None]]) -> Stored | None:
    return await work()


@asynccontextmanager
async def library(
    path: Path, role: str = "owner", fields: Sequence[tuple[str, Any]] = (), faults: Faults | None = None
) -> AsyncIterator[Library]:
    """Open the house; what is opened again at the same path holds what was stored before.

    `fields` are what plugins answer when asked for fields of analytics.
    """
    parsers = {"claude": ClaudeParser()}
    http = msgspec.convert({"port": 0, "host": "127.0.0.1", "socket": ""}, HttpSettings)
    settings = Settings(
        CoreSettings(), {HttpSettings: http, PricesSettings: PricesSettings(), WsSettings: WsSettings()}
    )
    prices = ccod_prices(settings)
    async with SqlStorage(SqliteSettings(path=str(path)), "machine", prices, parsers=parsers) as storage:

        def ask(hook: str, settings: Settings, observatory: Observatory) -> Sequence[tuple[str, Any]]:
            if hook != "ccod_http_blueprints":
                return fields if hook == "ccod_rest_analytics" else []
            return [
                ("rest", ccod_http_blueprints(settings, observatory)),
                ("ws", ccod_ws.ccod_http_blueprints(settings, observatory)),
            ]

        observatory = Observatory(
            storage, Everyone(role), Bus(), Health(), parsers, trio.Event(), ask, _at_once, (), Redactor(RULES)
        )
        if faults is not None:
            observatory = dataclasses.replace(observatory, faults=faults)
        with structlog.testing.capture_logs() as logs:
            async with trio.open_nursery() as nursery:
                await nursery.start(HttpTransport(settings, observatory).run)
                for transport in ccod_ws.ccod_transports(settings, observatory):
                    await nursery.start(transport.run)
                url = next(entry["url"] for entry in logs if entry["event"] == "listening")
                found = msgspec.structs.replace(http, port=int(url.rpartition(":")[2]))
                reached = Settings(CoreSettings(), {HttpSettings: found})
                async with httpx.AsyncClient(base_url=url, timeout=30) as client:
                    yield Library(storage, observatory, client, reached, logs)
                nursery.cancel_scope.cancel()
