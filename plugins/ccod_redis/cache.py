"""A cache on a server that may be away: what cannot be had at once is made anew."""

from __future__ import annotations

from ccod import Cache
from ccod_redis.scripts import GET, PER_VALUE, PUT
from ccod_redis.server import PAUSE_SECONDS, Server
from ccod_redis.settings import RedisSettings

SHARE = 8
"""One value takes no more than the eighth part: a few large ones would drive out all others."""
AWAY = "CACHE_AWAY"


class RedisCache(Cache):
    """See `ccod.Cache`."""

    def __init__(self, settings: RedisSettings, pause: float = PAUSE_SECONDS) -> None:
        self._server = Server(settings, AWAY, pause)
        self._get = self._server.script(GET)
        self._put = self._server.script(PUT)
        self._prefix = settings.prefix.encode("utf-8", "surrogatepass")
        self._ttl = int(settings.ttl * 1000)
        self._size = settings.size

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def get(self, key: str, /) -> bytes | None:
        """Raises CacheUnavailableError."""
        found: bytes | None = await self._server.ask(lambda: self._get(keys=self._keys(key), args=[self._ttl]))
        return found

    async def put(self, key: str, value: bytes, /) -> None:
        """Raises CacheUnavailableError."""
        if len(value) + PER_VALUE <= self._size // SHARE:
            await self._server.ask(lambda: self._put(keys=self._keys(key), args=[self._ttl, value, self._size]))

    def _keys(self, key: str) -> list[bytes]:
        return [
            self._prefix + b":answer:" + key.encode("utf-8", "surrogatepass"),
            self._prefix + b":index",
            self._prefix + b":total",
        ]
