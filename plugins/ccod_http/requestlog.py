"""One line in the log for each request and each WebSocket. Neither path nor query are in it: they can hold anything."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from msgspec import Struct
from quart import Quart

from ccod import Metrics
from ccod_http.departed import DEPARTED
from ccod_http.problems import current, request_id

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})

NAMED = "ccod.request"

log = structlog.get_logger("ccod.http.request")


class Line(Struct):
    """What is known of a request when it ends. `status` 0: the client went before it was answered.

    `lasting` is one that does not end by itself, such as a WebSocket.
    """

    route: str = ""
    id: str = ""
    status: int = 0
    lasting: bool = False


class RequestLog:
    """An application of ASGI around another: so the line is written however a request ends."""

    def __init__(self, app: Quart, metrics: Metrics) -> None:
        self._durations = metrics.histogram(
            "ccod_http_request_duration_seconds",
            "Time from a request to the end of its answer, by method, route and status.",
            "method",
            "route",
            "status",
        )
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
            line.lasting = line.lasting or _is_lasting(event)
            await send(event)

        try:
            await self._app(scope, receive, noting)
        except* DEPARTED:  # nobody hears the answer, and it is no fault of ours
            pass
        finally:
            took = time.perf_counter() - began
            method = scope.get("method", "WEBSOCKET")[:20]
            log.info(
                "request",
                method=method,
                route=line.route,
                status=line.status,
                ms=round(1000 * took, 1),
                request=line.id,
            )
            if not line.lasting:
                named = method if method in METHODS else "other"
                self._durations.labels(named, line.route or "unmatched", str(line.status)).observe(took)


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


def _is_lasting(event: Any) -> bool:
    if event["type"] == "http.response.start":
        return any(
            value.startswith(b"text/event-stream") for name, value in event["headers"] if name == b"content-type"
        )
    return bool(event["type"] == "websocket.accept")
