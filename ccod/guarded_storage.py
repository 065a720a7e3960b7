"""Stands between the core and a storage of others: what it raises, or does not answer, is named."""

from __future__ import annotations

from types import TracebackType, UnionType
from typing import Any, Self, cast, get_args, get_origin, get_type_hints

from ccod.faults import Faults
from ccod.guarded import left
from ccod.limits import LIMITS
from ccod.roles import Storage
from ccod.standin import OPERATIONS, Method, StandIn


def _kinds(method: object) -> tuple[type, ...]:
    """Return what a method of the role may answer with."""
    answer = get_type_hints(method)["return"]
    kinds = get_args(answer) if isinstance(answer, UnionType) else (answer,)
    return tuple(get_origin(kind) or kind for kind in kinds)


KINDS = {name: _kinds(getattr(Storage, name)) for name in OPERATIONS}


def guarded_storage(storage: Storage, plugin: str, faults: Faults) -> Storage:
    """Return a storage that raises, beside what it may, only a PluginError, and that no later than it may."""
    return cast(Storage, _Guarded(storage, plugin, faults))


class _Guarded(StandIn):
    def __init__(self, storage: Storage, plugin: str, faults: Faults) -> None:
        super().__init__(storage)
        self._plugin = plugin
        self._faults = faults

    async def __aenter__(self) -> Self:
        with self._faults.noting(self._plugin, "storage, opening"):
            return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await left(self._storage, self._plugin, self._faults, kind, error, trace)

    async def called(self) -> None:
        with self._faults.noting(self._plugin, "storage, called"):
            await super().called()

    def _around(self, name: str, method: Method) -> Method:
        where = f"storage, {name}"

        async def guarded(*values: Any, **named: Any) -> Any:
            import trio

            with self._faults.noting(self._plugin, where), trio.fail_after(LIMITS.storage):
                answer = await method(*values, **named)
                if not isinstance(answer, KINDS[name]):
                    raise TypeError(f"{KINDS[name][0].__name__} is wanted, not {type(answer).__name__}")
                return answer

        return guarded
