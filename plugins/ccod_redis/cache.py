"""A cache on a server that may be away: what cannot be had at once is made anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import trio
from redis.exceptions import RedisError

from ccod import Cache, CacheUnavailableError
from ccod_redis.client import AWAY, connect, place, unavailable
from ccod_redis.scripts import GET, PER_VALUE, PUT
from ccod_redis.settings import RedisSettings

SHARE = 8
"""One value takes no more than the eighth part: a few large ones would drive out all others."""

PAUSE_SECONDS = 5.0


class RedisCache(Cache):
    """See `ccod.Cache`. A server that did not answer is not asked again for `pause` seconds: one request has waited.

    The client blocks, so it is used in threads, of which there are as many as connections.
    """

    def __init__(self, settings: RedisSettings, pause: float = PAUSE_SECONDS) -> None:
        self._client = connect(settings)
        self._place = place(self._client)
        self._get = self._client.register_script(GET)
        self._put = self._client.register_script(PUT)
        self._prefix = settings.prefix.encode("utf-8", "surrogatepass")
        self._ttl = int(settings.ttl * 1000)
        self._size = settings.size
        self._timeout = settings.patience
        self._threads = trio.CapacityLimiter(settings.connections)
        self._pause = pause
        self._away: CacheUnavailableError | None = None
        self._ask_at = 0.0

    async def __aexit__(self, *_: object) -> None:
        self._client.close()

    async def get(self, key: str, /) -> bytes | None:
        """Raises CacheUnavailableError."""
        found: bytes | None = await self._ask(lambda: self._get(keys=self._keys(key), args=[self._ttl]))
        return found

    async def put(self, key: str, value: bytes, /) -> None:
        """Raises CacheUnavailableError."""
        if len(value) + PER_VALUE <= self._size // SHARE:
            await self._ask(lambda: self._put(keys=self._keys(key), args=[self._ttl, value, self._size]))

    def _keys(self, key: str) -> list[bytes]:
        return [
            self._prefix + b":answer:" + key.encode("utf-8", "surrogatepass"),
            self._prefix + b":index",
            self._prefix + b":total",
        ]

    async def _ask(self, ask: Callable[[], Any]) -> Any:
        self._require_here()
        try:
            with trio.fail_after(self._timeout):
                # A thread that is left ends by itself: each wait in it has the same limit.
                return await trio.to_thread.run_sync(self._asked, ask, limiter=self._threads, abandon_on_cancel=True)
        except trio.TooSlowError as error:
            text = f"{self._place}: no answer within {self._timeout:g} seconds"
            raise self._gone(CacheUnavailableError(text, fix=AWAY)) from error

    def _asked(self, ask: Callable[[], Any]) -> Any:
        self._require_here()  # another may have found out while this waited for its turn
        try:
            return ask()
        except RedisError as error:
            raise self._gone(unavailable(self._place, error)) from error

    def _require_here(self) -> None:
        if self._away is not None:
            if time.monotonic() < self._ask_at:
                raise CacheUnavailableError(self._away.problem, fix=self._away.fix)
            self._away = None

    def _gone(self, error: CacheUnavailableError) -> CacheUnavailableError:
        self._ask_at = time.monotonic() + self._pause
        self._away = error
        return error
