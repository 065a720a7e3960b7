"""What Quart raises since 0.23 where the client has gone before its request was read, or answered."""

from __future__ import annotations

from quart.wrappers import base


class NeverRaised(Exception):  # noqa: N818
    """Stands for it where Quart raises nothing."""


DEPARTED: type[Exception] = getattr(base, "ClientDisconnectedError", NeverRaised)
