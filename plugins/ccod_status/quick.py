"""`ccod status` in a few milliseconds: asks at the Unix socket, by hand, with next to nothing imported.

Whatever is not plain (an option, a daemon that is reached in another way, an answer of another kind) is left to the
command. That nobody answers is plain, too: whoever asks often does so also while the daemon is down.
"""

from __future__ import annotations

import os
import socket
import sys

from ccod_status.lines import exit_code, lines, local_zone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SECONDS = 10.0
DOWN = 69
"""The exit code of `ccod.UnavailableError`."""
HOSTS = ("localhost", "127.0.0.1", "::1")


def main(arguments: list[str]) -> int | None:
    """Print the status and return the exit code, or None where the command has to do it."""
    if arguments not in ([], ["--json"]):
        return None
    try:
        status = _ask(_socket(), f"/api/status?timezone={local_zone()}")
    except (FileNotFoundError, ConnectionRefusedError):
        return _nobody()
    except (OSError, ValueError, LookupError):
        return None
    import json

    told = [json.dumps({"schemaVersion": 1, "status": status})] if arguments else [*lines(status)]
    print(*told, sep="\n")
    return exit_code(status)


def _nobody() -> int | None:
    """Say that no daemon answers, or return None where one may do so at its port, or the settings are not plain."""
    try:
        if os.environ.get("CCOD_DISABLE") or any(_says(file, "disable") for file in _files()):
            return None  # the plugin that serves may be left out
        host = _written("host", "localhost", "CCOD_HTTP__HOST", "HOST")
        port = int(_written("port", "3000", "CCOD_HTTP__PORT", "PORT"))
        if host not in HOSTS:
            return None
        socket.create_connection((host, port), SECONDS).close()
    except ConnectionRefusedError:
        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        print(f"ccod: no daemon answers at {name}; start one with `ccod serve`", file=sys.stderr)
        return DOWN
    except (OSError, ValueError, LookupError, OverflowError):
        pass
    return None


def _ask(path: str, target: str) -> dict[str, Any]:
    """Return the data of an answer. Raises OSError, or ValueError or LookupError for anything unexpected."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(path)
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = bytearray()
        while part := connection.recv(65536):
            answer += part
    import json

    head, _, body = bytes(answer).partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1] != b"200":
        raise ValueError("refused")
    data: dict[str, Any] = json.loads(body)["data"]
    return data


def _socket() -> str:
    """Return where the Unix socket is. Raises LookupError, or FileNotFoundError where there is none."""
    if written := _written("socket", "", "CCOD_HTTP__SOCKET"):
        return os.path.expanduser(written)
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    if not folder.startswith("/"):
        raise FileNotFoundError
    return os.path.join(folder, "ccod", "ccod.sock")


def _written(key: str, default: str, *variables: str) -> str:
    """Return a setting of `[http]`, as far as that can be told without reading all. Raises LookupError, ValueError."""
    if os.path.exists(os.path.join(_folder(), ".env")):
        raise LookupError("settings that this does not read")
    found = next((value for name in variables if (value := os.environ.get(name, ""))), "")
    for file in reversed(_files()):
        found = found or _named_in(file, key)
    return found or default


def _folder() -> str:
    home = os.environ.get("XDG_CONFIG_HOME", "")
    return os.path.join(home if home.startswith("/") else os.path.expanduser("~/.config"), "ccod")


def _files() -> list[str]:
    """Return the files of the configuration that there may be, the strongest last."""
    folder = _folder()
    more = os.path.join(folder, "conf.d")
    try:
        names = sorted(os.listdir(more))
    except OSError:
        names = []
    named = [os.path.join(more, name) for name in names if name.endswith(".toml")]
    return ["/etc/ccod/config.toml", os.path.join(folder, "config.toml"), *named]


def _named_in(file: str, key: str) -> str:
    content = _says(file, key)  # most files do not say, and need no parser
    if not content:
        return ""
    import tomllib

    return str(tomllib.loads(content.decode()).get("http", {}).get(key, ""))


def _says(file: str, key: str) -> bytes:
    """Return what stands in a file that has a line with a key, and nothing of any other."""
    try:
        with open(file, "rb") as opened:
            content = opened.read(1024 * 1024)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    lines = content.splitlines()
    return content if any(key.encode() in line and not line.lstrip().startswith(b"#") for line in lines) else b""
