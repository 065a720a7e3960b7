"""Stands between the core and a storage of others: what it raises, or does not answer, is named."""

from __future__ import annotations

import inspect
from functools import wraps
from types import TracebackType, UnionType
from typing import Any, Self, cast, get_args, get_origin, get_type_hints

from ccod.faults import Faults
from ccod.limits import LIMITS
from ccod.roles import Storage


def _kinds(method: object) -> tuple[type, ...]:
    """Return what a method of the role may answer with."""
    answer = get_type_hints(method)["return"]
    kinds = get_args(answer) if isinstance(answer, UnionType) else (answer,)
    return tuple(get_origin(kind) or kind for kind in kinds)


KINDS = {name: _kinds(method) for name, method in vars(Storage).items() if inspect.iscoroutinefunction(method)}
"""By the names of the methods that wait."""


def guarded_storage(storage: Storage, plugin: str, faults: Faults) -> Storage:
    """Return a storage that raises, beside what it may, only a PluginError, and that no later than it may."""
    return cast(Storage, _Guarded(storage, plugin, faults))


class _Guarded:
    """Stands for a storage; a method is wrapped when it is first asked for."""

    def __init__(self, storage: Storage, plugin: str, faults: Faults) -> None:
        self._storage = storage
        self._plugin = plugin
        self._faults = faults

    async def __aenter__(self) -> Self:
        with self._faults.noting(self._plugin, "storage, opening"):
            await self._storage.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._storage.__aexit__(kind, error, trace)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._storage, name)
        if name not in KINDS:
            return found
        where = f"storage, {name}"

        @wraps(found)
        async def guarded(*values: Any, **named: Any) -> Any:
            import trio

            with self._faults.noting(self._plugin, where), trio.fail_after(LIMITS.storage):
                answer = await found(*values, **named)
                if not isinstance(answer, KINDS[name]):
                    raise TypeError(f"{KINDS[name][0].__name__} is wanted, not {type(answer).__name__}")
                return answer

        setattr(self, name, guarded)
        return guarded
