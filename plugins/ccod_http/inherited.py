"""Sockets that the service manager opened for us: sd_listen_fds(3)."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack

from ccod import ConfigError
from ccod_http.sockets import tune

FIRST = 3
"""The descriptor at which they begin."""


def inherited_sockets(environ: Mapping[str, str] = os.environ, first: int = FIRST) -> list[socket.socket]:
    """Return copies of the listening sockets that were handed to this process; none where none were.

    Raises ConfigError for one that does not listen, or not on loopback.
    """
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(os.getpid()) or not count.isdecimal():
        return []
    with ExitStack() as stack:
        found = [stack.enter_context(_copied(number)) for number in range(first, first + int(count))]
        for sock in found:
            _check(sock)
        stack.pop_all()
    return found


def _copied(number: int) -> socket.socket:
    try:
        os.set_inheritable(number, False)
        return socket.socket(fileno=os.dup(number))
    except OSError as error:
        raise ConfigError(f"LISTEN_FDS: descriptor {number} is no socket; unset LISTEN_FDS") from error


def _check(sock: socket.socket) -> None:
    if sock.type != socket.SOCK_STREAM or not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise ConfigError(f"{sock.getsockname()}: is no listening stream; use ListenStream= in the socket unit")
    if sock.family == socket.AF_UNIX:
        return
    if not ipaddress.ip_address(sock.getsockname()[0]).is_loopback:
        raise ConfigError(
            f"{sock.getsockname()[0]}: the socket unit listens beyond loopback; write ListenStream=127.0.0.1:3000"
        )
    tune(sock)
