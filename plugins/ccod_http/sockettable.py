"""Whose TCP sockets are, by the word of the kernel. Linux alone tells; elsewhere nothing is known."""

from __future__ import annotations

import re
import socket
import struct
from pathlib import Path

_ESTABLISHED, _LISTEN = "01", "0A"

Address = tuple[str, int]


def owner(client: Address, server: Address) -> int | None:
    """Return the user id of the process that opened the connection from `client` to `server`, or None.

    A row without an inode belongs to nobody any more and shows user 0. The table may skip a row while it changes,
    so it is read again before it is believed to lack one.
    """
    row = f" {_key(client)} {_key(server)} {_ESTABLISHED} "
    for _ in range(2):
        _, _, rest = _table(":" in client[0]).partition(row)
        if rest:
            columns = rest.split(maxsplit=6)
            uid, inode = int(columns[3]), int(columns[5])
            return uid if inode else None
    return None


def listener(port: int) -> tuple[int, str] | None:
    """Return the process id and command of who listens on `port`, where this process may know."""
    row = re.compile(rf":{port:04X} \w+:0000 {_LISTEN}(?: +\S+){{5}} +(\d+)")
    links = {f"socket:[{inode}]" for inode in row.findall(_table(False) + _table(True))}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(fd.readlink()) in links for fd in (process / "fd").iterdir()):
                return int(process.name), _command(process)
        except OSError:
            continue  # gone meanwhile, or another user's
    return None


def only_connected(port: int) -> bool:
    """Tell whether `port` is an end of connections, open or closing, while nobody listens on it."""
    states = re.findall(rf"^ *\d+: [0-9A-F]+:{port:04X} \S+ (\w\w) ", _table(False) + _table(True), re.MULTILINE)
    return bool(states) and _LISTEN not in states


def _table(v6: bool) -> str:
    try:
        return Path("/proc/net/tcp6" if v6 else "/proc/net/tcp").read_text("ascii")
    except OSError:
        return ""


def _key(address: Address) -> str:
    """Write an address as the table does: words of 32 bits in the machine's byte order."""
    host, port = address
    packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"


def _command(process: Path) -> str:
    words = (process / "cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ").split()
    return "".join(char for char in " ".join(words) if char.isprintable())
