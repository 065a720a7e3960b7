"""Who is connected, and how well each of them keeps up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from ccod_http.web import iso
from ccod_ws.guests import Guest
from ccod_ws.hub import Hub


class QueueJson(Struct, frozen=True, rename="camel"):
    """What waits to be sent to one client. `stalledMs` is for how long it has taken nothing of it."""

    frames: int
    bytes: int
    stalled_ms: int


class SubscriptionJson(Struct, frozen=True, rename="camel"):
    """`live` is false while stored events after `cursor` come from storage."""

    channel: str
    project_ids: Sequence[str]
    conversation_ids: Sequence[str]
    types: Sequence[str]
    live: bool
    cursor: int


class ClientJson(Struct, frozen=True, rename="camel"):
    """`lag` is how many numbers of events it is behind, `leftOut` how many broadcasts that are not stored it missed."""

    id: str
    kind: Literal["websocket", "sse"]
    address: str
    user_id: str | None
    connected_since: str
    bytes_sent: int
    queue: QueueJson
    lag: int
    left_out: int
    subscriptions: Sequence[SubscriptionJson]


class StatusJson(Struct, frozen=True, rename="camel"):
    """`seq` is the last event that was broadcast; the sums are over all clients that are connected."""

    epoch: str
    seq: int
    connections: int
    max_connections: int
    channels: Sequence[str]
    queued_frames: int
    queued_bytes: int
    lagging: int
    left_out: int
    let_go: int


def status_json(hub: Hub) -> StatusJson:
    boxes = [guest.listener.outbox for guest in hub.guests]
    return StatusJson(
        epoch=hub.epoch,
        seq=hub.position,
        connections=len(hub.guests),
        max_connections=hub.guests.most,
        channels=[*hub.channels],
        queued_frames=sum(map(len, boxes)),
        queued_bytes=sum(box.bytes for box in boxes),
        lagging=sum(guest.listener.lag > 0 for guest in hub.guests),
        left_out=hub.left_out + sum(guest.listener.left_out for guest in hub.guests),
        let_go=hub.let_go,
    )


def client_json(guest: Guest) -> ClientJson:
    outbox = guest.listener.outbox
    return ClientJson(
        id=guest.name,
        kind=guest.kind,
        address=guest.origin.address,
        user_id=guest.origin.account,
        connected_since=iso(guest.since),
        bytes_sent=guest.link.sent,
        queue=QueueJson(len(outbox), outbox.bytes, round(guest.link.stalled * 1000)),
        lag=guest.listener.lag,
        left_out=guest.listener.left_out,
        subscriptions=[
            SubscriptionJson(
                each.name,
                sorted(each.filter.projects),
                sorted(each.filter.conversations),
                sorted(each.filter.types),
                each.live,
                guest.listener.cursor(each),
            )
            for each in set(guest.listener.subscriptions.values())
        ],
    )
