"""What is counted of what clients are told."""

from __future__ import annotations

from collections.abc import Iterable

from ccod import Metrics


class Counts:
    """Counters of one hub."""

    def __init__(self, metrics: Metrics, channels: Iterable[str]) -> None:
        self._sent = metrics.counter(
            "ccod_ws_messages_total", "Broadcasts that were handed to a client, by channel.", "channel"
        )
        for channel in channels:
            self._sent.labels(channel)
        dropped = metrics.counter(
            "ccod_ws_dropped_total",
            "Messages that a client did not get: left_out because it reads too slowly, cut_off with its connection.",
            "reason",
        )
        self.left_out, self.cut_off = dropped.labels("left_out"), dropped.labels("cut_off")
        self.replayed = metrics.counter(
            "ccod_ws_replayed_total", "Stored events that were read again for a client that had missed them."
        )
        self._closed = metrics.counter("ccod_ws_closed_total", "Clients that were let go, by close code.", "code")

    def sent(self, channel: str, clients: int) -> None:
        if clients:
            self._sent.labels(channel).inc(clients)

    def closed(self, code: int) -> None:
        self._closed.labels(str(code)).inc()
