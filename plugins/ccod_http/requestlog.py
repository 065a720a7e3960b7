"""One line in the log for each request and each WebSocket. Neither path nor query are in it: they can hold anything."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from msgspec import Struct
from quart import Quart

from ccod_http.problems import current, request_id

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

NAMED = "ccod.request"

log = structlog.get_logger("ccod.http.request")


class Line(Struct):
    """What is known of a request when it ends. `status` 0: the client went before it was answered."""

    route: str = ""
    id: str = ""
    status: int = 0


class RequestLog:
    """An application of ASGI around another: so the line is written however a request ends."""

    def __init__(self, app: Quart) -> None:
        self._app: Callable[[Scope, Receive, Send], Awaitable[None]] = app  # type: ignore[assignment]
        app.before_request_funcs[None].insert(0, _name)
        app.before_websocket_funcs[None].insert(0, _name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        line = scope[NAMED] = Line()

        async def noting(event: Any) -> None:
            line.status = _status(event) or line.status
            await send(event)

        try:
            await self._app(scope, receive, noting)
        finally:
            log.info(
                "request",
                method=scope.get("method", "WEBSOCKET")[:20],
                route=line.route,
                status=line.status,
                ms=round(1000 * (time.perf_counter() - began), 1),
                request=line.id,
            )


async def _name() -> None:
    """Note what only the application knows: the route without what stands for its parameters, and the id."""
    asked = current()
    line: Line = asked.scope[NAMED]
    line.route = asked.url_rule.rule if asked.url_rule else ""
    line.id = request_id()


def _status(event: Any) -> int | None:
    match event:
        case {"type": "http.response.start" | "websocket.http.response.start", "status": int(status)}:
            return status
        case {"type": "websocket.accept"}:
            return 101
    return None
