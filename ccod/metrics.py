"""What the daemon measures of itself. Whoever does the work measures it; showing the figures is a plugin's matter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram

I = TypeVar("I", bound="Counter | Gauge | Histogram")  # noqa: E741

OTHER = "other"
"""Stands for the values of a label beyond those that `Values` lets through."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The usual upper bounds of a histogram's buckets."""

_UNITS = ("seconds", "bytes", "ratio")
_HARMLESS = re.compile(r"\w[\w.:/@ +\-]{0,63}", re.ASCII)


class Metrics:
    """The instruments of one daemon, by name: asked for one that is there already, it hands out the same.

    They are prometheus_client's own: `counter.labels("a").inc()`, `histogram.observe(seconds)`,
    `gauge.set_function(len_of_a_queue)`. A gauge's function is called in trio's thread when the figures are collected.
    A label never holds a session, a user, a path or anything that was said; what comes from outside passes `Values`.
    """

    def __init__(self) -> None:
        import prometheus_client  # here, so that commands without a daemon start without it

        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = prometheus_client.CollectorRegistry()
        self._instruments: dict[str, Counter | Gauge | Histogram] = {}

    def counter(self, name: str, description: str, *labels: str) -> Counter:
        """`name` ends in `_total`."""
        from prometheus_client import Counter

        return self._instrument(Counter, name, description, labels)

    def gauge(self, name: str, description: str, *labels: str) -> Gauge:
        from prometheus_client import Gauge

        return self._instrument(Gauge, name, description, labels)

    def histogram(self, name: str, description: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Histogram:
        from prometheus_client import Histogram

        return self._instrument(Histogram, name, description, labels, buckets=buckets)

    def _instrument(self, kind: type[I], name: str, description: str, labels: tuple[str, ...], **options: Any) -> I:
        """Raises ValueError for a name that is taken by another kind of instrument."""
        found = self._instruments.get(name)
        if found is None:
            unit = name.rpartition("_")[2]
            options["unit"] = unit if unit in _UNITS else ""
            found = self._instruments[name] = kind(name, description, labels, registry=self.registry, **options)
        if not isinstance(found, kind):
            raise ValueError(f"{name} is a {type(found).__name__} already")
        return found


class Values:
    """Lets texts from outside be values of a label: the first `most` that look harmless, `OTHER` for all the rest."""

    def __init__(self, most: int = 64, form: re.Pattern[str] = _HARMLESS) -> None:
        self._most = most
        self._form = form
        self._seen: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        found = self._seen.get(text)
        if found is None:
            if len(self._seen) >= self._most or not self._form.fullmatch(text):
                return OTHER
            found = self._seen[text] = text
        return found


def plugin_errors(metrics: Metrics) -> Counter:
    """Return the counter of what went wrong in each plugin."""
    return metrics.counter(
        "ccod_plugin_errors_total", "Failures of a plugin's hooks, services and middleware, by plugin.", "plugin"
    )
