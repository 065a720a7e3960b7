"""Tickets: a browser cannot put a token into the header of a WebSocket or an EventSource, and URLs end up in logs.

A ticket is got with the token, stands in the URL once, and is worth nothing afterwards.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict

import trio
from msgspec import Struct

from ccod import User

SECONDS = 30
MOST = 1_000
"""Tickets that wait to be used; of more the oldest are void."""


class Ticket(Struct, frozen=True, rename="camel"):
    """`ticket` is good for one connection, and for `expiresIn` seconds."""

    ticket: str
    expires_in: int


class Tickets:
    """Who may come in by which ticket."""

    def __init__(self) -> None:
        self._issued: OrderedDict[str, tuple[float, User]] = OrderedDict()

    def issue(self, user: User) -> Ticket:
        ticket = secrets.token_urlsafe(24)
        self._issued[ticket] = trio.current_time() + SECONDS, user
        if len(self._issued) > MOST:
            self._issued.popitem(last=False)
        return Ticket(ticket, SECONDS)

    def redeem(self, ticket: str) -> User | None:
        """Return whose ticket this is, and make it void; None where it is void already."""
        until, user = self._issued.pop(ticket, (0.0, None))
        return user if until > trio.current_time() else None
