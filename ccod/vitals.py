"""Figures of the core that are looked up when somebody wants them: what waits, and how the house is."""

from __future__ import annotations

from ccod.bus import Bus
from ccod.health import Health
from ccod.metrics import Metrics
from ccod.pipeline import Turn
from ccod.version import __version__


def show(metrics: Metrics, health: Health, bus: Bus, turn: Turn) -> None:
    """Let these be collected. They hold for as long as the daemon does."""
    metrics.gauge("ccod_build_info", "The version of ccod that runs; the value is always 1.", "version").labels(
        __version__
    ).set(1)
    waiting = metrics.gauge(
        "ccod_pipeline_waiting", "Batches that wait for their turn at the storage, by urgency.", "urgency"
    )
    waiting.labels("live").set_function(lambda: turn.waiting_live)
    waiting.labels("history").set_function(lambda: turn.waiting_history)
    metrics.gauge("ccod_bus_subscribers", "Who is told of what was stored.").set_function(lambda: bus.subscribers)
    metrics.gauge(
        "ccod_bus_backlog", "Batches that wait for the subscriber that is furthest behind; 256 cut it off."
    ).set_function(lambda: bus.backlog)
    metrics.gauge(
        "ccod_backfill_ratio", "How much of the history that was found at the start is stored, from 0 to 1."
    ).set_function(lambda: _ratio(health))
    metrics.gauge(
        "ccod_services_unwell", "Services that are restarting, degraded or stopped: /health says which, and why."
    ).set_function(lambda: health.unwell)


def _ratio(health: Health) -> float:
    progress = health.progress
    return progress.done / progress.total if progress.total else 1.0
