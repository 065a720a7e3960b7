"""The owner, by the word of the kernel."""

from __future__ import annotations

import os
from types import TracebackType

from ccod import Auth, Peer, User

OWNER = User(id="owner", email="", role="owner")
ADMIN = User(id="owner", email="", role="admin")


class JwtAuth(Auth):
    """Knows the owner. There are no accounts yet, so no token is valid."""

    async def __aenter__(self) -> JwtAuth:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """There is nothing to close."""

    async def identify(self, peer: Peer) -> User | None:
        if peer.token is not None or peer.foreign or peer.uid != os.getuid():
            return None
        return ADMIN if peer.unix else OWNER
