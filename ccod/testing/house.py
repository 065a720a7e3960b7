"""An observatory in memory, for tests of what stands on one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Self

import trio

from ccod import Auth, Bus, Health, Observatory, Parser, Peer, Storage, Stored, User


class OpenDoor(Auth):
    """Takes everybody for an admin."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """There is nothing to close."""

    async def identify(self, peer: Peer) -> User | None:
        return User("tests", "tests@localhost", "admin")

    async def ended(self, user: User) -> None:
        await trio.sleep_forever()


def observatory_of(
    storage: Storage, auth: Auth | None = None, parsers: Mapping[str, Parser] | None = None
) -> Observatory:
    """Return the observatory of a storage in which no plugin answers any hook."""
    bus = Bus()

    def ask(hook: str, **values: object) -> Sequence[tuple[str, Any]]:
        return []

    async def change(work: Callable[[], Awaitable[Stored | None]]) -> Stored | None:
        if (stored := await work()) is not None:
            bus.publish(stored)
        return stored

    return Observatory(storage, auth or OpenDoor(), bus, Health(), parsers or {}, trio.Event(), ask, change)
