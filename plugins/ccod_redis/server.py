"""A server that may be away: whoever asks waits a short time at most, and then it is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import trio
from redis.commands.core import Script
from redis.exceptions import RedisError

from ccod import CacheUnavailableError
from ccod_redis.client import AWAY, connect, place, unavailable
from ccod_redis.settings import RedisSettings

PAUSE_SECONDS = 5.0


class Server:
    """Asked from threads, of which there are as many as connections, for the client blocks.

    One that did not answer is not asked again for `pause` seconds: one request has waited. Errors have this `code`.
    """

    def __init__(self, settings: RedisSettings, code: str, pause: float = PAUSE_SECONDS) -> None:
        """Raises ConfigError."""
        self._client = connect(settings)
        self._place = place(self._client)
        self._code = code
        self._timeout = settings.patience
        self._threads = trio.CapacityLimiter(settings.connections)
        self._pause = pause
        self._away: CacheUnavailableError | None = None
        self._ask_at = 0.0

    def script(self, text: str) -> Script:
        """Return a script that is called within `ask`."""
        return self._client.register_script(text)

    def close(self) -> None:
        self._client.close()

    async def ask(self, ask: Callable[[], Any]) -> Any:
        """Return what `ask` does, called in a thread. Raises CacheUnavailableError."""
        self._require_here()
        try:
            with trio.fail_after(self._timeout):
                # A thread that is left ends by itself: each wait in it has the same limit.
                return await trio.to_thread.run_sync(self._asked, ask, limiter=self._threads, abandon_on_cancel=True)
        except trio.TooSlowError as error:
            text = f"{self._place}: no answer within {self._timeout:g} seconds"
            raise self._gone(CacheUnavailableError(text, self._code, AWAY)) from error

    def _asked(self, ask: Callable[[], Any]) -> Any:
        self._require_here()  # another may have found out while this waited for its turn
        try:
            return ask()
        except RedisError as error:
            raise self._gone(unavailable(self._place, error, self._code)) from error

    def _require_here(self) -> None:
        if self._away is not None:
            if time.monotonic() < self._ask_at:
                raise CacheUnavailableError(self._away.problem, self._away.code, self._away.fix)
            self._away = None

    def _gone(self, error: CacheUnavailableError) -> CacheUnavailableError:
        self._ask_at = time.monotonic() + self._pause
        self._away = error
        return error
