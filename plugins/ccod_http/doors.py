"""The ways to the running daemon: the owner's Unix socket where there is one, else TCP, by TLS if it serves HTTPS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from msgspec import Struct

from ccod import UnavailableError, expanded
from ccod_http.settings import HttpSettings
from ccod_http.tls import client_context

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "localhost"}  # noqa: S104
"""Where to ask a server that serves on every address: it answers to none of these names itself."""


class Door(Struct, frozen=True):
    """A Unix socket at `path`, or a port of a host; who asks at it must speak TLS where there is a context for that."""

    path: str = ""
    host: str = "localhost"
    port: int = 80
    tls: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        return self.path or _written(self.host, self.port)

    @property
    def authority(self) -> str:
        """What stands in the header Host."""
        return self.host if self.path else _written(self.host, self.port)

    def connect(self, seconds: float) -> socket.socket:
        """Return a connection, TLS still to come, that waits no longer than this; raise OSError."""
        if not self.path:
            return socket.create_connection((self.host, self.port), seconds)
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(seconds)
            sock.connect(self.path)
        except OSError:
            sock.close()
            raise
        return sock

    def distrusted(self, reason: object) -> UnavailableError:
        """Return the error that tells why TLS did not come about."""
        return UnavailableError(
            f"what answers at {self.name} does not show the certificate of [http] certfile ({reason}); "
            "restart the daemon if that is new"
        )


def knock(http: HttpSettings, seconds: float) -> tuple[Door, socket.socket]:
    """Return the first door at which somebody answers, and a connection to it; raise UnavailableError where none is."""
    for door in _doors(http):
        try:
            return door, door.connect(seconds)
        except OSError:
            continue
    raise UnavailableError(f"no daemon answers at {_written(http.host, http.port)}; start one with `ccod serve`")


def _doors(http: HttpSettings) -> Iterator[Door]:
    if http.socket:
        yield Door(path=str(expanded(http.socket)))
    tls = client_context(http.certfile) if http.certfile else None
    yield Door(host=_EVERYWHERE.get(http.host, http.host), port=http.port, tls=tls)


def _written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
