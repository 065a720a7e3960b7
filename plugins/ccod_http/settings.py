"""The `[http]` table."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Struct, field

from ccod import Bytes, ConfigError, FilePath, setting
from ccod_http.sockets import addresses

_ORIGIN = re.compile(r"https?://[^/*\s]+")


def _default_socket() -> str:
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    return str(Path(folder) / "ccod" / "ccod.sock") if folder.startswith("/") else ""


class HttpSettings(Struct, forbid_unknown_fields=True):
    """REST and WebSocket server."""

    host: Annotated[
        str,
        setting(
            "Loopback name or address to serve on; `localhost` is 127.0.0.1 and ::1.",
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
        Literal["owner", "loopback"],
        setting("Who reads without a token: processes of the daemon's own user, or all of this machine."),
    ] = "owner"
    max_body: Annotated[Bytes, setting("Largest request body.")] = 1024 * 1024

    def __post_init__(self) -> None:
        addresses(self.host)
        self.cors_origins = [_origin(written) for written in self.cors_origins]
        self.allowed_hosts = [name.strip().lower() for name in self.allowed_hosts]


def _origin(written: str) -> str:
    origin = written.strip().rstrip("/").lower()
    if not _ORIGIN.fullmatch(origin):
        raise ConfigError(
            f"[http] cors_origins: {origin!r} is no origin; write it as http://localhost:5173, with no wildcard"
        )
    return origin
