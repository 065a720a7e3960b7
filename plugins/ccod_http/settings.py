"""The `[http]` table."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Struct, field

from ccod import Bytes, ConfigError, FilePath, Seconds, setting

_ORIGIN = re.compile(r"https?://[^/*\s]+")


def _default_socket() -> str:
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    return str(Path(folder) / "ccod" / "ccod.sock") if folder.startswith("/") else ""


class LimitSettings(Struct, forbid_unknown_fields=True):
    """How much one caller may ask for: an account wherever it is, or the address of who has none (IPv6: its /64)."""

    window: Annotated[
        Seconds,
        setting(
            "Span of time for the three numbers below; 0 limits none.",
            env="RATE_LIMIT_WINDOW_MS",
            env_unit="ms",
            live=True,
        ),
    ] = 60.0
    max: Annotated[
        int,
        setting("Most reads in a window; the other two are never more.", env="RATE_LIMIT_MAX", live=True, ge=1),
    ] = 3000
    writes: Annotated[int, setting("Most writes in a window.", live=True, ge=1)] = 300
    strict: Annotated[int, setting("Most logins, registrations, refreshes and password changes.", live=True, ge=1)] = 20
    shared: Annotated[
        str,
        setting("Plugin by which several daemons count together, such as `redis`; if empty, each counts by itself."),
    ] = ""
    connections: Annotated[
        int,
        setting("Most TCP connections; never more than half of the files that the process may open.", ge=1),
    ] = 500
    connections_per_address: Annotated[int, setting("Most TCP connections of one address.", ge=1)] = 250


class HttpSettings(Struct, forbid_unknown_fields=True):
    """REST and WebSocket server."""

    host: Annotated[
        str,
        setting(
            "`localhost` (127.0.0.1 and ::1) or an address to serve on; `::` is every address. Beyond loopback only "
            'with access = "login", and a certificate or `insecure`.',
            env="HOST",
            option="--host",
        ),
    ] = "localhost"
    port: Annotated[
        int,
        setting("Port to serve on; 0 takes any free one.", env="PORT", option="--port", ge=0, le=65535),
    ] = 3000
    socket: Annotated[
        FilePath,
        setting("Unix socket, there the owner is administrator; $XDG_RUNTIME_DIR/ccod/ccod.sock, or none if empty."),
    ] = field(default_factory=_default_socket)
    cors_origins: Annotated[
        list[str],
        setting("Origins of web pages that may read answers; they need a token.", env="CORS_ORIGIN", live=True),
    ] = field(default_factory=lambda: ["http://localhost:5173"])
    allowed_hosts: Annotated[
        list[str],
        setting(
            "Names by which clients may call this server beside the loopback ones, such as `my.box:8080`.",
            live=True,
        ),
    ] = field(default_factory=list)
    access: Annotated[
        Literal["owner", "loopback", "login"],
        setting(
            "Who reads over TCP without a token: processes of the daemon's own user, all of this machine, or nobody."
        ),
    ] = "owner"
    certfile: Annotated[str, setting("Certificate, and what it is signed by, as PEM: serves HTTPS.")] = ""
    keyfile: Annotated[str, setting("Key of the certificate as PEM; nobody else may read it.")] = ""
    insecure: Annotated[
        bool,
        setting("Serve beyond loopback without HTTPS, where all can be read on the way, as behind a proxy with TLS."),
    ] = False
    trusted_proxies: Annotated[
        list[str],
        setting("Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."),
    ] = field(default_factory=list)
    max_body: Annotated[Bytes, setting("Largest request body.")] = 1024 * 1024
    limits: LimitSettings = field(default_factory=LimitSettings)

    def __post_init__(self) -> None:
        _check_reach(self)
        self.cors_origins = [_origin(written) for written in self.cors_origins]
        self.allowed_hosts = [name.strip().lower() for name in self.allowed_hosts]

    def check(self) -> None:
        """Look at certificate and key. Raises ConfigError."""
        from ccod_http.tls import server_context

        server_context(self.certfile, self.keyfile)


def _check_reach(settings: HttpSettings) -> None:
    """Raise ConfigError where strangers could reach what is not closed to them, or read what passes by."""
    from ccod_http.sockets import is_loopback

    if is_loopback(settings.host):
        return
    if settings.access != "login":
        raise ConfigError(
            f"[http] host: {settings.host!r} is beyond loopback, where access = {settings.access!r} cannot tell who "
            'asks; set [http] access = "login", or serve on localhost and use a tunnel (ssh -L 3000:localhost:3000)'
        )
    if not settings.certfile and not settings.insecure:
        raise ConfigError(
            f"[http] host: {settings.host!r} is beyond loopback, where all can be read on the way; set [http] certfile "
            "and keyfile, or insecure = true, as behind a proxy that serves HTTPS"
        )


def _origin(written: str) -> str:
    origin = written.strip().rstrip("/").lower()
    if not _ORIGIN.fullmatch(origin):
        raise ConfigError(
            f"[http] cors_origins: {origin!r} is no origin; write it as http://localhost:5173, with no wildcard"
        )
    return origin
