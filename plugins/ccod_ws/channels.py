"""What can be heard of: the channels of ccod's own, and those that plugins add by `ccod_ws_channels`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, Protocol, get_args, get_type_hints
from weakref import WeakSet

from msgspec import Struct
from msgspec.structs import fields

from ccod import EventKind, PluginError
from ccod_ws.filters import Topic


class Publisher(Protocol):
    """Whoever brings an event to those who hear its channel."""

    def publish(self, topic: Topic, data: Struct) -> None: ...


class Channel:
    """A channel by its name, and the kinds of events that come on it.

    Each of `events` is a struct with `tag_field="event"`: its tag is the event's name. `stored` are the kinds that the
    storage keeps, and so can be told again. `about` says what a client may filter by beside the name of the event.
    """

    def __init__(
        self,
        name: str,
        description: str,
        events: Sequence[type[Struct]],
        *,
        stored: Sequence[EventKind] = (),
        about: Sequence[Literal["projectId", "conversationId"]] = (),
    ) -> None:
        self.name = name
        self.description = description
        self.events: Mapping[str, type[Struct]] = {key: event for event in events for key in names(event)}
        self.stored = stored
        self.about = about
        self._publishers: WeakSet[Publisher] = WeakSet()

    def open(self, publisher: Publisher) -> None:
        """Let `publisher` bring what is published."""
        self._publishers.add(publisher)

    def publish(
        self,
        event: Struct,
        *,
        conversation_id: str | None = None,
        project_id: str | None = None,
        machine: str | None = None,
    ) -> None:
        """Tell everyone who hears this channel. It waits for nobody and is not stored: who is late misses it.

        Who does not see all machines hears of it where it is of a `machine` that they see; "" is none, for everybody.
        """
        topic = Topic(self.name, name_of(event), conversation_id, project_id, machine)
        for publisher in self._publishers:
            publisher.publish(topic, event)


def names(event: type[Struct]) -> Iterator[str]:
    """Yield the names that events of a struct can have."""
    tag = event.__struct_config__.tag
    if tag is not None and event.__struct_config__.tag_field == "event":
        yield str(tag)
    elif any(field.name == "event" for field in fields(event)):
        yield from map(str, get_args(get_type_hints(event)["event"]))


def name_of(event: Struct) -> str:
    """Return the name of one event."""
    return str(event.__struct_config__.tag or getattr(event, "event", ""))


def gathered(
    own: Iterable[Channel],
    offered: Iterable[tuple[str, Iterable[Channel]]],
    blame: Callable[[str, PluginError], object],
) -> dict[str, Channel]:
    """Return all channels by name; `blame` the plugin whose channel is none or is there already."""
    channels = {channel.name: channel for channel in own}
    for plugin, theirs in offered:
        try:
            if not isinstance(theirs, Iterable):
                raise PluginError(plugin, f"ccod_ws_channels must answer with channels, not {theirs!r}")
            for channel in theirs:
                _require_channel(plugin, channel, channels)
                channels[channel.name] = channel
        except PluginError as error:
            blame("ccod_ws_channels", error)
        except Exception as error:  # noqa: BLE001
            problem = f"ccod_ws_channels failed: {type(error).__name__}: {error}"
            blame("ccod_ws_channels", PluginError(plugin, problem))
    return channels


def _require_channel(plugin: str, channel: object, channels: Mapping[str, Channel]) -> None:
    if not isinstance(channel, Channel):
        raise PluginError(plugin, f"ccod_ws_channels must answer with channels, not {type(channel).__name__}")
    if channel.name in channels:
        raise PluginError(plugin, f"there is a channel {channel.name!r} already; choose another name")
    if not channel.events:
        raise PluginError(plugin, f'channel {channel.name!r}: its events need tag_field="event" and a tag')
