"""Who may knock: Host and Origin are checked before anything else, so that no web page gets in by a trick of names."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from quart import Quart, Response, current_app, has_request_context, request

from ccod_http.callers import scheme
from ccod_http.problems import Problem, current, request_id
from ccod_http.safety import HEADERS
from ccod_http.settings import HttpSettings

HSTS_SECONDS = 365 * 24 * 3600

_EXPOSED = "X-Request-ID, Link, ETag, RateLimit, RateLimit-Policy, Retry-After"


class Gate:
    """Checks requests and WebSocket handshakes alike, and puts the headers of safety on every answer."""

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._hosts = {"localhost", "127.0.0.1", "[::1]"}
        self._serves_https = bool(settings.certfile)

    def install(self, app: Quart) -> None:
        app.before_request(self.check)
        app.before_websocket(self.check)
        app.before_request(self.send_on_to_https)
        app.before_websocket(self.send_on_to_https)
        app.before_request(self.answer_options)
        app.after_request(self.finish)
        app.after_websocket(self.finish_handshake)  # type: ignore[type-var]

    async def check(self) -> None:
        headers = current().headers
        host = headers.get("Host", "").lower()
        if not self._is_ours(host):
            raise Problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                "HOST_NOT_ALLOWED",
                "This server does not answer to that Host; add the name to [http] allowed_hosts if it is yours.",
            )
        origins = headers.getlist("Origin")
        allowed = [origin for origin in origins if self._is_allowed(origin) or is_own_origin(origin)]
        crossing = "cross-site" in headers.getlist("Sec-Fetch-Site") and not allowed
        if allowed != origins or len(origins) > 1 or crossing:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "ORIGIN_NOT_ALLOWED",
                "Pages of that origin may not ask here; add it to [http] cors_origins if it is yours.",
            )

    async def send_on_to_https(self) -> Response | None:
        """Where HTTPS is served, plain HTTP reaches nothing over TCP. What a reader asked for is one step away."""
        if not self._serves_https or scheme() == "https" or connection_of(current()).get("unix"):
            return None
        if has_request_context() and request.method in {"GET", "HEAD"}:
            where = f"https://{request.headers['Host']}{request.full_path.removesuffix('?')}"
            return Response(b"", HTTPStatus.PERMANENT_REDIRECT, {"Location": where})
        raise Problem(HTTPStatus.FORBIDDEN, "HTTPS_REQUIRED", "This server is to be asked by https:// or wss://.")

    async def answer_options(self) -> Response | None:
        """Tell which methods a path knows. A preflight bears no token, so this is said to all who may knock."""
        if request.method != "OPTIONS":
            return None
        methods = sorted(current_app.url_map.bind("localhost", path_info=request.path).allowed_methods())
        if not methods:
            return None
        response = Response(b"", HTTPStatus.NO_CONTENT, {"Allow": ", ".join([*methods, "OPTIONS"])})
        if "Access-Control-Request-Method" in request.headers:
            response.headers["Access-Control-Allow-Methods"] = response.headers["Allow"]
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, X-Request-ID"
            response.headers["Access-Control-Max-Age"] = "600"
        return response

    async def finish(self, response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-ID"] = request_id()
        response.vary.add("Origin")
        origin = current().headers.get("Origin", "")
        if self._is_allowed(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        if scheme() == "https" and not _is_of_this_machine(current().headers.get("Host", "")):
            response.headers["Strict-Transport-Security"] = f"max-age={HSTS_SECONDS}"
        return response

    async def finish_handshake(self, response: Response | None) -> Response | None:
        return await self.finish(response) if response else None

    def _is_ours(self, host: str) -> bool:
        if connection_of(current()).get("unix"):
            return True
        name, colon, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
        own = current().scope["server"]
        if name in self._hosts or name == _bracketed(own[0]):
            # No name that a stranger can point here: the address at which the connection arrived is never 0.0.0.0.
            return not colon or port == str(own[1])
        return not {host, name}.isdisjoint(self._settings.allowed_hosts)

    def _is_allowed(self, origin: str) -> bool:
        return origin.lower() in self._settings.cors_origins


def connection_of(asked: Any) -> dict[str, Any]:
    """Return what is known of the connection by which a request came: see `guards.GuardedServer`."""
    connection: dict[str, Any] = asked.scope["state"]["connection"]
    return connection


def is_own_origin(origin: str) -> bool:
    """Tell whether a page of `origin` came from this server, under the name that this request uses."""
    return origin.lower() == f"{scheme()}://{current().headers.get('Host', '')}".lower()


def _is_of_this_machine(host: str) -> bool:
    """Tell whether a promise about this name would bind other servers too: every developer has a `localhost`."""
    return re.fullmatch(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", host.lower()) is not None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
