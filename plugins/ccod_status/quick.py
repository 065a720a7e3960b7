"""`ccod status` in a few milliseconds: asks at the Unix socket, by hand, with next to nothing imported.

Whatever is not plain (an option, a daemon that is reached in another way or not at all, an answer of another kind) is
left to the command.
"""

from __future__ import annotations

import json
import os
import socket

from ccod_status.lines import exit_code, lines, local_zone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SECONDS = 10.0


def main(arguments: list[str]) -> int | None:
    """Print the status and return the exit code, or None where the command has to do it."""
    if arguments not in ([], ["--json"]):
        return None
    try:
        status = _ask(_socket(), f"/api/status?timezone={local_zone()}")
    except (OSError, ValueError, LookupError):
        return None
    told = [json.dumps({"schemaVersion": 1, "status": status})] if arguments else [*lines(status)]
    print(*told, sep="\n")
    return exit_code(status)


def _ask(path: str, target: str) -> dict[str, Any]:
    """Return the data of an answer. Raises OSError, or ValueError or LookupError for anything unexpected."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(path)
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = bytearray()
        while part := connection.recv(65536):
            answer += part
    head, _, body = bytes(answer).partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1] != b"200":
        raise ValueError("refused")
    data: dict[str, Any] = json.loads(body)["data"]
    return data


def _socket() -> str:
    """Return where the Unix socket is, as far as that can be told without reading all settings. Raises LookupError."""
    if named := os.environ.get("CCOD_HTTP__SOCKET", ""):
        return os.path.expanduser(named)
    home = os.environ.get("XDG_CONFIG_HOME", "")
    folder = os.path.join(home if home.startswith("/") else os.path.expanduser("~/.config"), "ccod")
    if os.path.exists(os.path.join(folder, ".env")):
        raise LookupError("settings that this does not read")
    found = ""
    for file in ["/etc/ccod/config.toml", os.path.join(folder, "config.toml"), *_more(os.path.join(folder, "conf.d"))]:
        found = _named_in(file) or found
    return os.path.expanduser(found) if found else os.path.join(os.environ["XDG_RUNTIME_DIR"], "ccod", "ccod.sock")


def _more(folder: str) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".toml")]
    except OSError:
        return []


def _named_in(file: str) -> str:
    try:
        with open(file, "rb") as opened:
            content = opened.read(1024 * 1024)
    except OSError:
        return ""
    if not any(b"socket" in line and not line.lstrip().startswith(b"#") for line in content.splitlines()):
        return ""  # most files do not say, and need no parser
    import tomllib

    return str(tomllib.loads(content.decode()).get("http", {}).get("socket", ""))
