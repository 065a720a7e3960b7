"""Times what a storage is asked, whichever storage it is."""

from __future__ import annotations

import inspect
import time
from functools import wraps
from types import TracebackType
from typing import Any, Self, cast

from ccod.metrics import Metrics
from ccod.roles import Storage

OPERATIONS = frozenset(name for name, method in vars(Storage).items() if inspect.iscoroutinefunction(method))
"""The methods of the role that wait: what there can be as a label."""


def timed(storage: Storage, metrics: Metrics) -> Storage:
    """Return a storage with each call of a method timed: waiting for its turn, and the work."""
    return cast(Storage, _Timed(storage, metrics))


class _Timed:
    """Stands for a storage. A method is wrapped when it is first asked for, and found in the object from then on."""

    def __init__(self, storage: Storage, metrics: Metrics) -> None:
        self._storage = storage
        self._durations = metrics.histogram(
            "ccod_db_query_duration_seconds",
            "Time that the storage took to answer, waiting for its turn included, by what was asked.",
            "op",
        )

    async def __aenter__(self) -> Self:
        await self._storage.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._storage.__aexit__(kind, error, trace)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._storage, name)
        if name not in OPERATIONS:
            return found
        duration = self._durations.labels(name)

        @wraps(found)
        async def measured(*values: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return await found(*values, **named)
            finally:
                duration.observe(time.perf_counter() - began)

        setattr(self, name, measured)
        return measured
