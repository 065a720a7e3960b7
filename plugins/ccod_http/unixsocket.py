"""The owner's Unix socket: a file that nobody else may open, on which the kernel names every caller."""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ccod import CcodError, ConfigError, UnavailableError, expanded

REMEDY = "name another file with [http] socket, or none with an empty one"


@contextmanager
def open_unix_socket(name: str) -> Iterator[socket.socket]:
    """Bind a socket at this path; its file goes when the context ends, unless it is another's by then."""
    path = expanded(name)
    sock = socket.socket(socket.AF_UNIX)
    try:
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True)
        _make_room(path)
        sock.bind(str(path))
        path.chmod(0o600)
        inode = path.stat().st_ino
    except OSError as error:
        sock.close()
        raise ConfigError(f"[http] socket: {path}: {error.strerror or error}; {REMEDY}") from error
    except CcodError:
        sock.close()
        raise
    try:
        yield sock
    finally:
        sock.close()
        if path.is_socket() and path.stat().st_ino == inode:
            path.unlink()


def peer_uid(sock: socket.socket) -> int:
    """Return the user id of the process at the other end."""
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(uid)


def _make_room(path: Path) -> None:
    """Remove the socket of a daemon that is gone."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise ConfigError(f"[http] socket: {path}: is there already and no socket; {REMEDY}")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise UnavailableError(f"[http] socket: {path} is in use by another daemon; stop it, or {REMEDY}")
