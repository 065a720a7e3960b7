"""What `ccod doctor` finds about the ways to the daemon: whether it answers, its port, its socket."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from ccod import Finding, Settings, UnavailableError, expanded
from ccod_http.settings import HttpSettings


def findings(settings: Settings) -> Iterator[Finding]:
    from ccod_http.client import get, trouble

    http = settings[HttpSettings]
    if reason := trouble(settings):
        yield Finding("daemon", "problem", reason, "ccod serve")
        yield from _port(http)
    else:
        health = get(settings, "/health")
        yield Finding("daemon", "ok", f"version {health['version']} has run for {health['uptime']:.0f} s")
    yield from _socket(http)


def _port(http: HttpSettings) -> Iterator[Finding]:
    """Yield whether the daemon could have its port; it is asked only while the daemon does not answer."""
    from ccod_http.sockets import open_sockets

    try:
        for sock in open_sockets(http.host, http.port):
            sock.close()
    except (UnavailableError, OSError) as error:
        yield Finding("port", "problem", str(error), f"ccod config set http.port {_free_port()}")
    else:
        yield Finding("port", "ok", f"[http] port {http.port} is free")


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
        yield Finding("socket", "problem", f"{path}: is there, and is no socket", f"rm {path}")
    else:
        yield Finding("socket", "ok", str(path))


def _closed(folder: Path) -> Iterator[Finding]:
    """Yield whether others may write to the socket's folder: who may, can put another socket there."""
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError:
        return  # it is made with mode 0700
    if mode & 0o022 and not mode & stat.S_ISVTX:
        yield Finding("socket", "problem", f"{folder}: others may write to it (mode {mode:o})", f"chmod 700 {folder}")
