"""Times what a storage is asked, whichever storage it is."""

from __future__ import annotations

import time
from typing import Any, cast

from ccod.metrics import Metrics
from ccod.roles import Storage
from ccod.standin import Method, StandIn


def timed(storage: Storage, metrics: Metrics) -> Storage:
    """Return a storage with each call of a method timed: waiting for its turn, and the work."""
    return cast(Storage, _Timed(storage, metrics))


class _Timed(StandIn):
    def __init__(self, storage: Storage, metrics: Metrics) -> None:
        super().__init__(storage)
        self._durations = metrics.histogram(
            "ccod_db_query_duration_seconds",
            "Time that the storage took to answer, waiting for its turn included, by what was asked.",
            "op",
        )

    def _around(self, name: str, method: Method) -> Method:
        duration = self._durations.labels(name)

        async def measured(*values: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return await method(*values, **named)
            finally:
                duration.observe(time.perf_counter() - began)

        return measured
