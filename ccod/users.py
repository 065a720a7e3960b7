"""Who asks, and what a transport knows of it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Peer(Struct, frozen=True):
    """What a transport knows of a caller. `uid` is set only where the kernel vouches for a local process;
    `token` is what the caller presented; `foreign` is True where another site's page sent the request; `unix` is True
    on the Unix socket, which only the owner can open and no web page can reach; `address` is where the caller is, in
    words by which those who cannot be told apart are the same."""

    uid: int | None = None
    token: str | None = None
    foreign: bool = False
    unix: bool = False
    address: str = ""


Right = Literal["read", "write", "reveal", "admin"]


class User(Struct, frozen=True):
    """Who is asking. `scopes` narrows what the role may do, as those of an API key; None narrows nothing.

    `credential` names what was presented, such as one login of several, in words of the auth plugin; "" is nothing.
    `expires_at` is when that ends by itself.

    `machines` are those whose conversations this user sees, and `own` those that are the user's: what is read of any
    other is noted in the log of reads. None is all of them.
    """

    id: str
    email: str
    role: Literal["owner", "admin", "user"]
    scopes: frozenset[Right] | None = None
    credential: str = ""
    expires_at: int | None = None
    machines: frozenset[str] | None = None
    own: frozenset[str] | None = None

    def sees(self, machine: str | None) -> bool:
        """Tell whether conversations of a machine are shown; None is one that nobody knows."""
        return self.machines is None or machine in self.machines

    def owns(self, machine: str | None) -> bool:
        """Tell whether a machine is the user's own."""
        return self.own is None or machine in self.own
