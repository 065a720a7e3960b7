"""Everyone who is connected, and the way to reach them all at once."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from weakref import WeakValueDictionary

import trio
from msgspec import Struct

from ccod import Bus, EventQuery, Look, Observatory, Position, Settings, StorageUnavailableError
from ccod_http.web import Problem, epoch_ms, parse_time
from ccod_ws import gauges
from ccod_ws.channels import Channel, gathered
from ccod_ws.counts import Counts
from ccod_ws.events import ServerShutdown
from ccod_ws.filters import EVERYBODY, Topic
from ccod_ws.frames import Frame, frame
from ccod_ws.guests import Guest, Guests
from ccod_ws.listener import Found, Subscription
from ccod_ws.own import own_channels
from ccod_ws.protocol import Broadcast, CloseCode, ProtocolError
from ccod_ws.settings import WsSettings
from ccod_ws.telling import Teller

RECONNECT_MS = 5_000
WATCH_SECONDS = 1.0
OTHERS_SECONDS = (0.02, 60.0)
"""How often it is looked, and how long, whether what another daemon told its clients has been told here too. A daemon
that was cut off from the server gives up its connection after 30 seconds, and hears of others after that."""

_hubs: WeakValueDictionary[Bus, Hub] = WeakValueDictionary()


class Hub:
    """Encodes a broadcast once, for all who hear its channel, and waits for none of them."""

    def __init__(
        self, settings: WsSettings, observatory: Observatory, channels: Mapping[str, Channel], machine: str
    ) -> None:
        """`machine` is that of this daemon."""
        self.channels = channels
        self.guests = Guests(settings)
        self.counts = Counts(observatory.metrics, channels)
        gauges.show(observatory.metrics, self.guests)
        self.teller = Teller(observatory)
        self.epoch = ""
        self.position = 0
        self.left_out = 0
        self.let_go = 0
        self.auth = observatory.auth
        self.machine = machine
        self._storage = observatory.storage
        self._ids = count(1)
        self._begun = False
        self._shut = False
        for channel in self.channels.values():
            channel.open(self)

    def begin(self, position: Position) -> None:
        """Broadcast what is stored after `position`; who listened before a failure gets the rest from storage."""
        if self._begun and position.seq != self.position:
            for guest in self.guests:
                guest.listener.fall_behind()
        self.epoch, self.position = position.epoch, position.seq
        self._begun = True

    def next_name(self) -> str:
        return f"client_{next(self._ids)}"

    def join(self, guest: Guest) -> None:
        """Take a guest in, or raise the Problem that refuses it. Whoever joined must `leave`."""
        self.check(guest)
        self.guests.add(guest)

    def check(self, guest: Guest) -> None:
        """Raise the Problem that would refuse a guest."""
        if self._shut or not self._begun:
            raise Problem(503, "SERVICE_UNAVAILABLE", "The daemon is starting or stopping; connect again in a moment.")
        self.guests.check(guest)

    def leave(self, guest: Guest) -> None:
        self.guests.discard(guest)
        self.left_out += guest.listener.left_out
        if guest.farewell is not None:
            self.let_go += 1
            self.counts.closed(guest.farewell[0])

    def hears(self, topic: Topic) -> bool:
        """Whether anybody hears of this: what nobody hears need not be made."""
        return any(guest.listener.hears(topic) for guest in self.guests)

    def hears_channel(self, name: str) -> bool:
        """Whether anybody hears a channel at all."""
        return any(name in guest.listener.subscriptions for guest in self.guests)

    def publish(self, topic: Topic, data: Struct, as_of: int | None = None) -> None:
        """Broadcast what is not stored."""
        if self.hears(topic):
            derived = {} if as_of is None else {"as_of": as_of}
            self.send(topic, frame(Broadcast(topic.channel, data, epoch_ms(), **derived)))

    def send(self, topic: Topic, told: Frame) -> None:
        """Broadcast what is encoded already."""
        self.counts.sent(topic.channel, sum(guest.listener.hear(topic, told) for guest in self.guests))
        if told.seq is not None:
            self.position = told.seq

    def pass_over(self, seq: int) -> None:
        """Leave out a stored event that nobody hears: who subscribes from now on gets what comes after it."""
        self.position = seq

    async def place(self, since: int | str | None) -> int | None:
        """Return the number that `since` stands for: itself, or that of the last event before a time."""
        if isinstance(since, str) and since.isascii() and since.isdigit():
            since = int(since[:20])
        if since is None:
            return None
        if isinstance(since, int):
            await self._reach(since)
            return since
        try:
            before = parse_time(since)
        except (ValueError, OverflowError):
            message = "since is a seq, or an ISO date or date-time such as 2023-01-01T00:00:00Z"
            raise ProtocolError("INVALID_SINCE", message) from None
        return min((await self._storage.position(before)).seq, self.position)

    async def _reach(self, seq: int) -> None:
        """Wait for an event that is stored and not told here yet: its number comes from another daemon's client."""
        if seq <= self.position or seq > (await self._storage.position()).seq:
            return
        pause, patience = OTHERS_SECONDS
        until = trio.current_time() + patience
        while self.position < seq and trio.current_time() < until:  # noqa: ASYNC110 - it is rare: nobody is to wake it
            await trio.sleep(pause)

    async def note(self, topic: Topic) -> None:
        """Note for all who are about to hear a message that they read its conversation, where that is not theirs.

        Who cannot be noted does not hear it: they are let go, and get it after a reconnect. Others may subscribe while
        this is written down, so it is over only when all have been.
        """
        key, machine = str(topic.conversation_id), topic.machine
        while lacking := [
            (guest, guest.listener.look)
            for guest in self.guests
            if guest.listener.look is not None
            and guest.listener.look.lacks(key, machine)
            and guest.listener.hears(topic)
        ]:
            for guest, look in lacking:
                try:
                    await look.note(self._storage, {key: machine})
                except StorageUnavailableError:
                    guest.close(CloseCode.OVERLOAD, "reads cannot be logged")

    async def again(self, behind: Subscription, until: int, look: Look | None) -> Found:
        """See `listener.Story`."""
        wanted = behind.filter
        stored = [kind for channel in behind.channels for kind in channel.stored]
        kinds = [kind for kind in stored if not wanted.types or kind in wanted.types]
        if not kinds:
            return []
        events = await self._storage.events(
            EventQuery(
                after=behind.cursor,
                until=until,
                kinds=kinds,
                projects=[*wanted.projects],
                conversations=[*wanted.conversations],
                limit=behind.portion,
                machines=None if look is None else look.user.machines,
            )
        )
        if look is not None:
            said = {str(event.conversation_id): event.machine for event in events if event.message is not None}
            await look.note(self._storage, said)
        told = await self.teller.tell(events)
        return [(event.seq, each) for event, each in zip(events, told, strict=True)]

    async def watch(self) -> None:
        """Let go whoever takes nothing of what waits for it."""
        while True:
            await trio.sleep(WATCH_SECONDS)
            for guest in list(self.guests):
                guest.look()

    async def shut(self) -> None:
        """Take no one in any more, let all go, and wait a moment until they have gone."""
        self._shut = True
        self.publish(Topic("system", "server_shutdown", machine=EVERYBODY), ServerShutdown(RECONNECT_MS))
        for guest in list(self.guests):
            guest.close(CloseCode.GOING_AWAY, "server shutdown")
        await self.guests.gone()


def hub_of(settings: Settings, observatory: Observatory) -> Hub:
    """Return the one hub of an observatory, which its transport and its routes share."""
    hub = _hubs.get(observatory.bus)
    if hub is None:
        offered = observatory.ask("ccod_ws_channels", settings=settings, observatory=observatory)
        channels = gathered(own_channels(), offered, observatory.faults.blame)
        hub = _hubs[observatory.bus] = Hub(settings[WsSettings], observatory, channels, settings.core.machine_name)
    return hub
