"""Posts events, one body after the other, until the receiver has them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Self

import httpx
import structlog
import trio

from ccod import CcodError, Event, Observatory, expanded
from ccod_webhook.bodies import Body, bodies
from ccod_webhook.deadletters import bury
from ccod_webhook.settings import WebhookSettings
from ccod_webhook.signing import signature

PAUSE_SECONDS = (1.0, 60.0)
LONGEST_WAIT_SECONDS = 3600.0
PATIENCE_SECONDS = 240.0
"""How long one delivery is tried: less than ccod's own limit, so that what is wrong is said in our words."""

log = structlog.get_logger("ccod.webhook")


class AwayError(CcodError):
    """The receiver does not take anything now."""


class RefusedError(Exception):
    """The receiver will never take this."""


class Webhook:
    """A receiver that is away is tried again for as long as it takes; events wait in ccod's storage meanwhile."""

    name = "webhook"

    def __init__(self, settings: WebhookSettings, observatory: Observatory) -> None:
        self._settings = settings
        self._observatory = observatory
        self._epoch = ""
        self._client: httpx.AsyncClient | None = None
        self._failing_since: float | None = None
        self._pause = PAUSE_SECONDS[0]
        self._next_try = 0.0

    async def __aenter__(self) -> Self:
        self._epoch = (await self._observatory.storage.position()).epoch
        self._client = httpx.AsyncClient(follow_redirects=False, trust_env=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client:
            with trio.move_on_after(1, shield=True):
                await self._client.aclose()

    async def deliver(self, events: Sequence[Event]) -> None:
        wanted = [event for event in events if not self._settings.events or event.kind in self._settings.events]
        say = self._observatory.content if self._settings.content else None
        deadline = trio.current_time() + PATIENCE_SECONDS
        for body in bodies(self._epoch, wanted, say, self._settings.max_body):
            await self._send(body, deadline)

    async def _send(self, body: Body, deadline: float) -> None:
        """Post a body until it is taken, refused or hopeless. Raises AwayError when the time is up."""
        while True:
            if self._next_try > deadline:
                await trio.sleep_until(deadline)
                raise AwayError("the receiver asked to wait; its events wait in the storage")
            await trio.sleep_until(self._next_try)
            try:
                await self._post(body)
            except RefusedError as error:
                await self._bury(body, str(error))
            except AwayError as error:
                if trio.current_time() - (self._failing_since or 0) < self._settings.give_up_after:
                    if trio.current_time() >= deadline or self._next_try > deadline:
                        raise
                    continue
                await self._bury(body, str(error))
            self._failing_since, self._pause, self._next_try = None, PAUSE_SECONDS[0], 0.0
            return

    async def _post(self, body: Body) -> None:
        assert self._client is not None
        now = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "ccod-webhook",
            "Ccod-Delivery": f"{self._epoch}-{body.first}-{body.last}",
            "Ccod-Timestamp": str(now),
            "Ccod-Signature": f"v1={signature(self._settings.secret, now, body.raw)}",
        }
        try:
            with trio.fail_after(self._settings.timeout):
                async with self._client.stream("POST", self._settings.url, content=body.raw, headers=headers) as answer:
                    status, wait = answer.status_code, _seconds(answer.headers.get("Retry-After", ""))
        except (httpx.TransportError, trio.TooSlowError) as error:
            raise self._failed(f"no answer: {type(error).__name__}", None) from error
        if status in {408, 425, 429} or status >= 500:
            raise self._failed(f"answered {status}", wait)
        if not 200 <= status < 300:
            raise RefusedError(f"answered {status}")

    def _failed(self, reason: str, wait: float | None) -> AwayError:
        now = trio.current_time()
        self._failing_since = now if self._failing_since is None else self._failing_since
        self._next_try = now + (self._pause if wait is None else min(wait, LONGEST_WAIT_SECONDS))
        self._pause = min(2 * self._pause, PAUSE_SECONDS[1])
        return AwayError(f"the receiver {reason}; its events wait in the storage")

    async def _bury(self, body: Body, reason: str) -> None:
        named = self._settings.dead_letters
        path = expanded(named) if named else self._observatory.storage.folder / "webhook-dead-letters.jsonl"
        log.warning("events went to the dead letters", reason=reason, first=body.first, last=body.last, file=str(path))
        await trio.to_thread.run_sync(bury, path, int(time.time() * 1000), reason, body.raw)


def _seconds(retry_after: str) -> float | None:
    """Return what the header `Retry-After` asks for, a number of seconds or a date; None where it says nothing."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
