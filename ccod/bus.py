"""Tells every subscriber what was stored, and waits for none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ccod.events import Stored

if TYPE_CHECKING:
    import trio


class Subscription:
    """What one subscriber has yet to read. Iterating ends when it fell behind: `lagged` is True then."""

    def __init__(self, receive: trio.MemoryReceiveChannel[Stored]) -> None:
        self._receive = receive
        self.lagged = False

    def __aiter__(self) -> AsyncIterator[Stored]:
        return self._receive.__aiter__()


class Bus:
    """A fan-out with a bounded buffer for each subscriber: a full one is cut off, and the others go on."""

    def __init__(self) -> None:
        self._subscribers: dict[Subscription, trio.MemorySendChannel[Stored]] = {}

    @property
    def subscribers(self) -> int:
        """How many subscribe."""
        return len(self._subscribers)

    @property
    def backlog(self) -> int:
        """How many batches wait for the subscriber that is furthest behind."""
        return max((send.statistics().current_buffer_used for send in self._subscribers.values()), default=0)

    def publish(self, stored: Stored) -> None:
        import trio  # here, so that commands without a daemon start without it

        for subscription, send in list(self._subscribers.items()):
            try:
                send.send_nowait(stored)
            except trio.WouldBlock:
                subscription.lagged = True
                self._drop(subscription)

    @contextmanager
    def subscribe(self, buffer: int = 256) -> Iterator[Subscription]:
        """Offer what is stored from now on, up to `buffer` batches ahead of the reader."""
        import trio

        send, receive = trio.open_memory_channel[Stored](buffer)
        subscription = Subscription(receive)
        self._subscribers[subscription] = send
        try:
            yield subscription
        finally:
            self._drop(subscription)
            receive.close()

    def _drop(self, subscription: Subscription) -> None:
        send = self._subscribers.pop(subscription, None)
        if send is not None:
            send.close()
