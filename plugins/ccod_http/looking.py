"""Who looks: what routes ask of the storage, they ask for who sent the request, and not for themselves."""

from __future__ import annotations

import dataclasses
import re
from contextvars import ContextVar

from quart import Quart, has_request_context, request

from ccod import Look, Observatory, User, sighted
from ccod_http.identity import current_user
from ccod_http.link import current_address
from ccod_http.problems import current

_LOOK: ContextVar[Look | None] = ContextVar("ccod_look", default=None)
"""Of the task that serves a request: it is there until the last byte is sent, when Quart's own context is gone."""

PARAMETER = r"<(?:\w+:)?(\w+)>"
STRANGER = User(id="", email="", role="user", machines=frozenset(), own=frozenset())


def current_look() -> Look | None:
    """Return what the current request is about, for the log of reads; None outside of any."""
    return _LOOK.get()


def sees_here() -> bool:
    """Tell whether the current caller sees what is of this daemon's machine, such as paths in an error."""
    user, look = current_user(), _LOOK.get()
    return user is not None and (look is None or user.sees(look.served_by))


def looked_at(observatory: Observatory, machine: str) -> Observatory:
    """Return the observatory as the current caller sees it."""
    return dataclasses.replace(observatory, storage=sighted(observatory.storage, machine, current_look))


class Looking:
    """Notes of each request who looks. A stranger, on a route that is public, sees nothing of a shared storage."""

    def __init__(self, machine: str, *, is_shared: bool) -> None:
        self._machine = machine
        self._is_shared = is_shared

    def install(self, app: Quart) -> None:
        """To be called when it is known who asks, and before anything is read."""
        app.before_request(self.note)
        app.before_websocket(self.note)

    async def note(self) -> None:
        user = current_user() or (STRANGER if self._is_shared else None)
        _LOOK.set(None if user is None else Look(user, current_address(), _route(), self._machine))


def _route() -> str:
    """Return the method and the route, without what stands for its parameters."""
    method = request.method if has_request_context() else "WEBSOCKET"
    rule = current().url_rule
    path = re.sub(PARAMETER, r"{\1}", rule.rule) if rule else ""
    return f"{method} {path}"
