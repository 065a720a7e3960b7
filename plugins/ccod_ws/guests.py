"""Who is connected, in whatever way, and how many may be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Literal

import structlog
import trio
from msgspec import Struct

from ccod import Auth, Look, User
from ccod_http.web import Link, Problem, epoch_ms
from ccod_ws.listener import Listener
from ccod_ws.protocol import CloseCode
from ccod_ws.settings import WsSettings

CLOSE_SECONDS = 1.0
STALL_SECONDS = 5.0
"""How long a client may take nothing of what waits for it."""

log = structlog.get_logger("ccod.ws")


class Origin(Struct, frozen=True):
    """Where a guest comes from, and who it is."""

    address: str = ""
    user: User | None = None
    look: Look | None = None

    @property
    def account(self) -> str | None:
        return self.user.id if self.user else None


class Guest(ABC):
    """One connection. A kind of connection says how it sends what its listener gives, and how it is closed."""

    kind: Literal["websocket", "sse"]

    def __init__(self, name: str, origin: Origin, listener: Listener, link: Link) -> None:
        self.name = name
        self.origin = origin
        self.listener = listener
        self.link = link
        self.since = epoch_ms()
        self.farewell: tuple[CloseCode, str] | None = None

    def close(self, code: CloseCode, reason: str) -> None:
        """Hear nothing more, send what waits if that is quick, and say goodbye."""
        if self.farewell is not None:
            return
        log.info("client let go", client=self.name, code=int(code), reason=reason)
        self.farewell = (code, reason)
        self.listener.subscriptions.clear()
        self.listener.outbox.close()
        self._leave()

    async def leave_once_ended(self, auth: Auth) -> None:
        """Let the guest go once what it presented is no longer valid."""
        if self.origin.user is not None:
            await auth.ended(self.origin.user)
            self.close(CloseCode.UNAUTHORIZED, "no longer authorised")

    @abstractmethod
    def _leave(self) -> None:
        """See to it that the connection ends soon."""

    def look(self) -> None:
        """Let go a peer that takes nothing; cut it off where it does not even take the goodbye."""
        if self.link.stalled > STALL_SECONDS:
            self.listener.forget()
            self.close(CloseCode.OVERLOAD, "does not read")
        if self.link.stalled > STALL_SECONDS + CLOSE_SECONDS:
            self.link.abort()


class Guests:
    """All that are connected, as many as the settings allow."""

    def __init__(self, settings: WsSettings) -> None:
        self._settings = settings
        self._all: set[Guest] = set()
        self._changed = trio.Event()

    def __iter__(self) -> Iterator[Guest]:
        return iter(self._all)

    @property
    def most(self) -> int:
        """How many there may be."""
        return self._settings.max_connections

    def __len__(self) -> int:
        return len(self._all)

    def check(self, guest: Guest) -> None:
        """Raise the Problem that refuses one guest more. The owner of the machine is not counted by account."""
        mine = self._settings
        origin = guest.origin
        same_address = sum(each.origin.address == origin.address for each in self._all)
        _check("max_connections", len(self._all), mine.max_connections)
        _check("max_per_address", same_address, mine.max_per_address)
        if origin.user is not None and origin.user.role != "owner":
            same_account = sum(each.origin.account == origin.account for each in self._all)
            _check("max_per_account", same_account, mine.max_per_account)

    def add(self, guest: Guest) -> None:
        self._all.add(guest)

    def discard(self, guest: Guest) -> None:
        self._all.discard(guest)
        if not self._all:
            self._changed.set()

    async def gone(self) -> None:
        """Wait until all have gone, but not for long."""
        if self._all:
            self._changed = trio.Event()
            with trio.move_on_after(2 * CLOSE_SECONDS):
                await self._changed.wait()


def _check(name: str, taken: int, allowed: int) -> None:
    if taken >= allowed:
        raise Problem(
            503, "RESOURCE_LIMIT_EXCEEDED", f"All {allowed} connections are taken; [ws] {name} sets how many."
        )
