"""Counts of requests that several daemons keep together: what `[http.limits] shared = "redis"` chooses."""

from __future__ import annotations

from ccod_redis.scripts import TAKE
from ccod_redis.server import PAUSE_SECONDS, Server
from ccod_redis.settings import RedisSettings, require_client

AWAY = "LIMITS_AWAY"
MICROSECONDS = 1_000_000


class RedisCounts:
    """See `ccod_http.quota.Counts`. A key is gone from the server once nothing of its quota is used any more."""

    def __init__(self, settings: RedisSettings, pause: float = PAUSE_SECONDS) -> None:
        """Raises ConfigError."""
        self._server = Server(settings, AWAY, pause)
        self._take = self._server.script(TAKE)
        self._prefix = settings.prefix.encode("utf-8", "surrogatepass") + b":limit:"

    async def take(self, key: str, most: int, window: float) -> tuple[bool, float]:
        """Raises CacheUnavailableError."""
        name = self._prefix + key.encode("utf-8", "surrogatepass")
        whole = int(window * MICROSECONDS)
        within, used = await self._server.ask(lambda: self._take(keys=[name], args=[whole, max(1, whole // most)]))
        return bool(within), used / MICROSECONDS

    def close(self) -> None:
        self._server.close()


def counts(settings: RedisSettings) -> RedisCounts:
    """Raise ConfigError where the client is not installed, or there is no server to ask."""
    require_client()
    return RedisCounts(settings)
