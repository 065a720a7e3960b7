"""What `ccod doctor` finds about the ways to the daemon: whether it answers, its port, its socket."""

from __future__ import annotations

import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from ccod import ConfigError, Finding, Settings, UnavailableError, expanded, start_command
from ccod_http.settings import HttpSettings
from ccod_http.sockettable import listener


def findings(settings: Settings) -> Iterator[Finding]:
    from ccod_http.client import trouble

    http = settings[HttpSettings]
    if reason := trouble(settings):
        yield from _port(http)
        yield Finding("daemon", "problem", reason, start_command())
    else:
        yield Finding("daemon", "ok", _told(settings))
    yield from _socket(http)


def _told(settings: Settings) -> str:
    from ccod_http.client import RefusedError, get

    try:
        health = get(settings, "/health")
    except RefusedError as error:
        return f"it answers: {error}"
    return f"version {health['version']} has run for {health['uptime']:.0f} s"


def _port(http: HttpSettings) -> Iterator[Finding]:
    """Yield whether the daemon could have its port; it is asked only while the daemon does not answer."""
    from ccod_http.sockets import open_sockets

    try:
        for sock in open_sockets(http.host, http.port):
            sock.close()
    except UnavailableError as error:
        yield Finding("port", "problem", str(error), _freed(http.port))
    except (ConfigError, OSError) as error:
        yield Finding("port", "problem", str(error), "ccod config set http.host localhost")
    else:
        yield Finding("port", "ok", f"[http] port {http.port} is free")


def _freed(port: int) -> str:
    """Return the command after which the daemon has a port: one that does not answer gives way, another program not."""
    held = listener(port)
    if held and re.search(r"\bccod\b.* serve\b", held[1]):
        return f"kill -9 {held[0]}"  # it may not hear a gentler signal, and loses nothing by this one
    return f"ccod config set http.port {_free_port()}"


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def _socket(http: HttpSettings) -> Iterator[Finding]:
    if not http.socket:
        text = "there is none: XDG_RUNTIME_DIR is not set, and neither is [http] socket; commands ask over TCP"
        yield Finding("socket", "warning", text, "ccod config set http.socket ~/.local/state/ccod/ccod.sock")
        return
    path = expanded(http.socket)
    yield from _closed(path.parent)
    if not path.exists():
        yield Finding("socket", "ok", f"{path}: the daemon makes it")
    elif not path.is_socket():
        yield Finding("socket", "problem", f"{path}: is there, and is no socket", _aside(path))
    else:
        yield Finding("socket", "ok", str(path))


def _aside(path: Path) -> str:
    return f"mv {quote(str(path))} {quote(f'{path}.aside')}"


def _closed(folder: Path) -> Iterator[Finding]:
    """Yield whether others may write to the socket's folder: who may, can put another socket there."""
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError:
        return  # it is made with mode 0700
    if mode & 0o022 and not mode & stat.S_ISVTX:
        yield Finding(
            "socket", "problem", f"{folder}: others may write to it (mode {mode:o})", f"chmod 700 {quote(str(folder))}"
        )
