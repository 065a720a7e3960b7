"""Stands for a storage, and does something more around each thing that it is asked."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from types import TracebackType
from typing import Any, Self

from ccod.roles import Storage

Method = Callable[..., Awaitable[Any]]

OPERATIONS = frozenset(
    name for name, method in vars(Storage).items() if inspect.iscoroutinefunction(method) and name != "called"
)
"""The methods of the role that ask something; `called` only waits, perhaps for ever."""


class StandIn(ABC):
    """A storage whose `OPERATIONS` are wrapped, each when it is first asked for: from then on it is found at once."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def __aenter__(self) -> Self:
        await self._storage.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._storage.__aexit__(kind, error, trace)

    @property
    def is_shared(self) -> bool:
        """As the storage says; one that says nothing is not."""
        return bool(getattr(self._storage, "is_shared", False))

    async def called(self) -> None:
        await getattr(self._storage, "called", partial(Storage.called, self._storage))()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._storage, name)
        if name not in OPERATIONS:
            return found
        wrapped = wraps(found)(self._around(name, found))
        setattr(self, name, wrapped)
        return wrapped

    @abstractmethod
    def _around(self, name: str, method: Method) -> Method:
        """Return what is called instead of a method."""
