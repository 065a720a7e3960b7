"""How many are connected, and what waits for them: looked up when somebody wants to know."""

from __future__ import annotations

from collections.abc import Iterable

from ccod import Metrics
from ccod_ws.guests import Guests


def show(metrics: Metrics, guests: Guests) -> None:
    """Let these be collected."""
    connections = metrics.gauge("ccod_ws_connections", "Clients that are connected, by kind: websocket or sse.", "kind")
    connections.labels("websocket").set_function(lambda: sum(guest.kind == "websocket" for guest in guests))
    connections.labels("sse").set_function(lambda: sum(guest.kind == "sse" for guest in guests))
    metrics.gauge("ccod_ws_queued_frames", "Messages that wait for all clients together.").set_function(
        lambda: sum(_waiting(guests))
    )
    metrics.gauge(
        "ccod_ws_queued_frames_max", "Messages that wait for the client that is furthest behind."
    ).set_function(lambda: max(_waiting(guests), default=0))
    metrics.gauge("ccod_ws_queued_bytes", "Bytes that wait for all clients together.").set_function(
        lambda: sum(guest.listener.outbox.bytes for guest in guests)
    )
    metrics.gauge("ccod_ws_lagging", "Clients that get what they missed from the storage.").set_function(
        lambda: sum(guest.listener.lag > 0 for guest in guests)
    )


def _waiting(guests: Guests) -> Iterable[int]:
    return (len(guest.listener.outbox) for guest in guests)
