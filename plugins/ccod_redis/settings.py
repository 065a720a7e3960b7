"""The `[redis]` table."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

from msgspec import Struct

from ccod import Bytes, ConfigError, Seconds, setting

NAME = "redis"
"""Of the plugin, in `cache = …`."""


class RedisSettings(Struct, forbid_unknown_fields=True):
    """A server of Redis; it holds with cache = "redis", and with `[http.limits] shared = "redis"`."""

    url: Annotated[
        str,
        setting(
            'Where the server is: "redis://user:password@host:6379/0", "rediss://…" by TLS, or "unix:///path"; '
            'a text, or { file = "/path" } or { env = "NAME" }.',
            secret=True,
        ),
    ] = "redis://localhost:6379/0"
    prefix: Annotated[
        str, setting("What the names of all keys begin with, so that others may use the server too.", min_length=1)
    ] = "ccod"
    size: Annotated[
        Bytes, setting("Most bytes of answers below the prefix, of all daemons together; 0 keeps none.")
    ] = 64 * 1024 * 1024
    ttl: Annotated[Seconds, setting("An answer that nobody asked for during so long is forgotten.", le=604800)] = 600.0
    timeout: Annotated[
        Seconds, setting("The longest wait for the server, 10ms at least; an answer is made anew then.", le=5)
    ] = 1.0
    connections: Annotated[int, setting("Most connections to the server at one time.", ge=1, le=32)] = 8

    @property
    def patience(self) -> float:
        """The longest wait, in seconds: a socket takes none at all for something else."""
        return max(self.timeout, 0.01)


def require_client() -> None:
    """Raise ConfigError where the client is not installed, which only who chose it needs."""
    if find_spec("redis") is None:
        raise ConfigError('"redis" needs the package redis; `pip install "ccod[redis]"`')
