"""How the house is doing, on the `system` channel."""

from __future__ import annotations

from math import inf

import trio

from ccod import Health
from ccod_ws.events import SystemHealth
from ccod_ws.filters import Topic
from ccod_ws.hub import Hub

LOOK_SECONDS = 1.0
REPEAT_SECONDS = 30.0


async def tell_health(hub: Hub, health: Health) -> None:
    """Tell every change of a service's state within a second, and how all are each half minute.

    Its reasons can name paths, so it is only for who sees this machine.
    """
    topic = Topic("system", "system_health", machine=hub.machine)
    told: SystemHealth | None = None
    told_at = -inf
    while True:
        now = trio.current_time()
        state = SystemHealth("healthy" if health.well else "degraded", dict(health.services))
        if hub.hears(topic) and (state != told or now - told_at >= REPEAT_SECONDS):
            hub.publish(topic, state)
            told, told_at = state, now
        await trio.sleep(LOOK_SECONDS)
