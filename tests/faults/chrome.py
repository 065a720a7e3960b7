"""A page of a headless Chromium, spoken to by the DevTools protocol: what ran, was refused, was asked for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import trio
from msgspec import Struct, field
from trio_websocket import WebSocketConnection, connect_websocket_url

from tests.faults.browser import browsing

PATIENCE = 30
MESSAGE_BYTES = 64 * 1024 * 1024
HOOKED = ("alert", "confirm", "prompt", "print", "open")
NOTE = f"""
for (const name of {json.dumps(HOOKED)}) window[name] = () => noted(JSON.stringify(["ran", name]));
document.addEventListener("securitypolicyviolation", event => noted(JSON.stringify(
    ["refused", `${{event.effectiveDirective}} ${{event.blockedURI}} ${{event.sample}}`])));
"""


class Visit(Struct):
    """What came of one page: scripts that `ran`, what its policy `refused`, other addresses that were `asked` for."""

    ran: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


class Chrome:
    """Made by `open_chrome`. One page after the other."""

    def __init__(self, connection: WebSocketConnection) -> None:
        self._connection = connection
        self._numbers = count(1)
        self._events: list[dict[str, Any]] = []

    async def call(self, method: str, **parameters: Any) -> Mapping[str, Any]:
        """Call a method and return its result; the events that come before it are kept."""
        number = next(self._numbers)
        await self._connection.send_message(json.dumps({"id": number, "method": method, "params": parameters}))
        with trio.fail_after(PATIENCE):
            while True:
                message = json.loads(await self._connection.get_message())
                if message.get("id") == number:
                    assert "error" not in message, message
                    result: Mapping[str, Any] = message["result"]
                    return result
                self._events.append(message)

    async def visit(self, address: str, linger: float = 0.05) -> Visit:
        """Open a page, wait until it is there, and a little longer for what it does by and by."""
        await self.call("Page.navigate", url="about:blank")
        self._events.clear()
        await self.call("Page.navigate", url=address)
        with trio.move_on_after(PATIENCE):
            while not await self._evaluate("document.readyState == 'complete'"):
                await trio.sleep(0.01)
        await trio.sleep(linger)
        await self._evaluate("0")
        return self._noted(address)

    async def _evaluate(self, expression: str) -> Any:
        return (await self.call("Runtime.evaluate", expression=expression))["result"].get("value")

    def _noted(self, address: str) -> Visit:
        visit = Visit()
        for event in self._events:
            told = event["params"]
            match event["method"]:
                case "Runtime.bindingCalled":
                    kind, what = json.loads(told["payload"])
                    (visit.ran if kind == "ran" else visit.refused).append(what)
                case "Network.requestWillBeSent" if told["request"]["url"] not in {address, "about:blank"}:
                    visit.asked.append(told["request"]["url"])
                case "Page.javascriptDialogOpening":
                    visit.ran.append(told["type"])
        return visit


@asynccontextmanager
async def open_chrome(profile: Path, *, policies: bool = True) -> AsyncIterator[Chrome]:
    """Start a browser; without `policies` it obeys no Content-Security-Policy, and only escaping makes harmless."""
    async with browsing(profile, "--remote-debugging-port=0", "about:blank"), trio.open_nursery() as nursery:
        with trio.fail_after(PATIENCE):
            while len(said := _said(profile / "DevToolsActivePort")) < 2:
                await trio.sleep(0.02)
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.put(f"http://127.0.0.1:{said[0]}/json/new?about:blank")
        assert answer.status_code == HTTPStatus.OK, answer.text
        async with await _connect(nursery, answer.json()["webSocketDebuggerUrl"]) as connection:
            chrome = Chrome(connection)
            for domain in ("Page", "Runtime", "Network"):
                await chrome.call(f"{domain}.enable")
            await chrome.call("Runtime.addBinding", name="noted")
            await chrome.call("Page.setBypassCSP", enabled=not policies)
            await chrome.call("Page.addScriptToEvaluateOnNewDocument", source=NOTE)
            await chrome.call("Browser.setDownloadBehavior", behavior="deny")
            yield chrome
        nursery.cancel_scope.cancel()


async def _connect(nursery: trio.Nursery, url: str) -> WebSocketConnection:
    return await connect_websocket_url(nursery, url, max_message_size=MESSAGE_BYTES)


def _said(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []
