"""What plugins put before and behind every route."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quart import Response

LIMIT_SECONDS = 10.0
"""So long each of its two methods may take; a request for which it takes longer is answered as a fault."""


class Middleware:
    """A subclass does what it needs of both; `quart.request` is the request, `current_user()` who asks.

    It sees requests, no WebSockets, and only after Host, Origin and caller were checked: it can refuse more than the
    server does, never less.
    """

    async def before(self) -> Response | None:
        """Answer a request that the route would now be asked, or leave it to the route. A Problem refuses it."""
        return None

    async def after(self, response: Response) -> Response:
        """Return an answer, of whatever kind, as it shall be sent; the headers of safety are put on it behind this."""
        return response
