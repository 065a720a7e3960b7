"""One who hears: its subscriptions, what waits for it, and how it comes by what it has missed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import structlog
import trio
from msgspec import Struct

from ccod import Look, StorageUnavailableError
from ccod_http.web import epoch_ms
from ccod_ws.channels import Channel
from ccod_ws.counts import Counts
from ccod_ws.filters import EVERYBODY, Filter, Topic
from ccod_ws.frames import Frame, frame
from ccod_ws.outbox import Outbox
from ccod_ws.protocol import Lagged, Live, ProtocolError

RETRY_SECONDS = 1.0
FIRST_PORTION, LARGEST_PORTION = 8, 100
PORTION_BYTES = 256 * 1024
"""About as much is fetched for a client at a time: what each fetches is its own, however many of them catch up."""

log = structlog.get_logger("ccod.ws")


Found = Sequence[tuple[int, Frame | None]]


class Story(Protocol):
    """All that happens, in its order."""

    epoch: str
    position: int
    """The last stored event that was broadcast."""
    counts: Counts

    async def again(self, behind: Subscription, until: int, look: Look | None) -> Found:
        """Return some stored events after the cursor of a subscription, in order; none only where there are no more.

        No more than its portion, up to the number `until`, and to be shown to who looks.
        """


class Subscription:
    """Some channels through one filter. While it is not `live`, stored events after `cursor` come from storage.

    `portion` is how many of them are asked for next.
    """

    def __init__(self, channels: Sequence[Channel], wanted: Filter, cursor: int, *, live: bool) -> None:
        self.channels = channels
        self.filter = wanted
        self.cursor = cursor
        self.live = live
        self.portion = FIRST_PORTION

    def weigh(self, found: Found) -> None:
        """Ask for more next time where these were small, and for fewer where they were large."""
        size = sum(told.size for _, told in found if told is not None)
        fitting = len(found) * PORTION_BYTES // max(1, size)
        self.portion = max(1, min(fitting, 2 * self.portion, LARGEST_PORTION))

    @property
    def name(self) -> str:
        return ",".join(channel.name for channel in self.channels)


class Listener:
    """Whoever broadcasts never waits here. Where the outbox is full, its reader gets the rest when it is empty.

    `look` says who hears, None that all may be heard.
    """

    def __init__(self, story: Story, look: Look | None = None) -> None:
        self.look = look
        self.outbox = Outbox()
        self.subscriptions: dict[str, Subscription] = {}
        self.left_out = 0
        self._story = story

    def subscribe(self, channels: Sequence[Channel], wanted: Filter, since: int | None, epoch: str | None) -> None:
        """Hear channels from now on, or from after `since` on. Raises ProtocolError where that is no place here."""
        position = self._story.position
        self._check(since, epoch, position)
        cursor = position if since is None else since
        subscription = Subscription(channels, wanted, cursor, live=since is None)
        self.subscriptions |= dict.fromkeys((channel.name for channel in channels), subscription)
        self.outbox.wake()

    def _check(self, since: int | None, epoch: str | None, position: int) -> None:
        if since is None:
            return
        if epoch not in {None, self._story.epoch}:
            reason = f"its epoch is {self._story.epoch}"
        elif not 0 <= since <= position:
            reason = f"its events go up to {position}"
        else:
            return
        raise ProtocolError(
            "INVALID_SINCE", f"{since} is no place in this database, {reason}: read anew, and subscribe without since"
        )

    def unsubscribe(self, channel: str) -> None:
        self.subscriptions.pop(channel, None)

    def hears(self, topic: Topic) -> bool:
        subscription = self.subscriptions.get(topic.channel)
        return subscription is not None and subscription.live and self._wants(subscription, topic)

    def _wants(self, subscription: Subscription, topic: Topic) -> bool:
        sees = self.look is None or topic.machine == EVERYBODY or self.look.user.sees(topic.machine)
        return sees and subscription.filter.passes(topic)

    def hear(self, topic: Topic, told: Frame) -> bool:
        """Let a broadcast wait for its turn; where there is no room, note where to go on later, and return False."""
        subscription = self.subscriptions.get(topic.channel)
        if subscription is None or not self._wants(subscription, topic):
            return False
        if subscription.live and self.outbox.put(told):
            return True
        if told.seq is None:
            self.left_out += 1
            self._story.counts.left_out.inc()
        if subscription.live:
            subscription.live = False
            subscription.cursor = self._story.position
            self.say(Lagged(subscription.name, subscription.cursor, epoch_ms()))
        return False

    def fall_behind(self) -> None:
        """Let everything after the position come from storage: what was broadcast is not all that was stored."""
        for subscription in set(self.subscriptions.values()):
            if subscription.live:
                subscription.live = False
                subscription.cursor = self._story.position
                self.say(Lagged(subscription.name, subscription.cursor, epoch_ms()))

    def say(self, message: Struct, *, first: bool = False) -> None:
        """Say something to this one alone."""
        self.outbox.put_anyway(frame(message), first=first)

    def forget(self) -> None:
        """Let nothing of what waits be sent any more."""
        self._story.counts.cut_off.inc(len(self.outbox))
        self.outbox.clear()

    async def take(self) -> list[Frame]:
        """Wait for what is to be sent next; return nothing once the outbox is closed and empty."""
        while not self.outbox:
            if self.outbox.closed:
                return []
            behind = next((each for each in self.subscriptions.values() if not each.live), None)
            if behind is None:
                await self.outbox.changed()
            else:
                await self._catch_up(behind)
        return self.outbox.take()

    async def _catch_up(self, behind: Subscription) -> None:
        """Fetch some of what was missed. Between the last look and being live nothing can happen."""
        if behind.cursor >= self._story.position:
            behind.live = True
            self.say(Live(behind.name, behind.cursor, epoch_ms()))
            return
        until = self._story.position
        try:
            found = await self._story.again(behind, until, self.look)
        except StorageUnavailableError:
            await trio.sleep(RETRY_SECONDS)
            return
        if not found:
            behind.cursor = until
        behind.weigh(found)
        for seq, told in found:
            if behind not in self.subscriptions.values() or (told is not None and not self.outbox.put(told)):
                return
            behind.cursor = seq
            if told is not None:
                self._story.counts.replayed.inc()

    @property
    def lag(self) -> int:
        """How far behind the last stored event the slowest subscription is."""
        position = self._story.position
        return position - min(map(self.cursor, self.subscriptions.values()), default=position)

    def cursor(self, subscription: Subscription) -> int:
        """Return the last stored event that a subscription was given, or that is none of its business."""
        return self._story.position if subscription.live else subscription.cursor
