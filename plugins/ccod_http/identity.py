"""Who asks: found out once for each request or WebSocket handshake, before any route sees it."""

from __future__ import annotations

import os
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address

import trio
from quart import Quart, current_app, g, has_request_context

from ccod import Access, Auth, Peer, PluginError, User, may
from ccod_http import sockettable
from ccod_http.callers import client_network, is_proxied
from ccod_http.gate import connection_of, is_own_origin
from ccod_http.problems import Problem, current
from ccod_http.settings import HttpSettings
from ccod_http.tickets import Ticket, Tickets

_BEARER_PROTOCOL = "bearer."
_TICKETS = "ccod_tickets"
_REMEDY = "ccod_remedy"

REMEDY = 'with [http] access = "login" they use the Unix socket, [http] socket'
"""What helps a program of this machine that is a stranger."""


def current_user() -> User | None:
    """Return who sent the current request or opened the current WebSocket, or None for a stranger."""
    user: User | None = g.get("user")
    return user


def caller() -> str:
    """Return what the caller shares with those who cannot be told apart from it: a local user, or an address."""
    return str(g.caller)


def issue_ticket() -> Ticket:
    """Return a ticket by which the current caller may come in once without showing its token."""
    user = current_user()
    assert user is not None, "only a route that asks for an access may issue tickets"
    tickets: Tickets = current_app.extensions[_TICKETS]
    return tickets.issue(user)


def require(access: Access) -> None:
    """Raise a Problem if the current caller may not have this access: 401 where a token would help, or else 403."""
    user = current_user()
    if may(user, access):
        return
    if g.get("unknown"):
        message = "Nobody can tell who asks: the auth plugin failed; the log says why."
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "AUTH_UNAVAILABLE", message)
    if user is None and _ticket() is not None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "AUTH_TICKET_INVALID", "The ticket was used or is too old; get another.")
    if user is None and g.get("token") is not None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "AUTH_TOKEN_INVALID", "The token is not valid.")
    if user is None or user.role == "owner":
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "AUTH_REQUIRED",
            "This needs a token. Without one only processes of the user who runs ccod may read, and no page of another "
            f"site; {current_app.extensions[_REMEDY]}."
            if access == "read"
            else f"This needs a token with the right {access!r}; on the Unix socket the owner is admin: [http] socket.",
        )
    raise Problem(HTTPStatus.FORBIDDEN, "ACCESS_DENIED", f"This needs the right {access!r}, which you do not have.")


class Identifier:
    """Asks the auth plugin about each caller. Whoever is refused for want of a token is told of the `remedy`."""

    def __init__(
        self, settings: HttpSettings, auth: Auth, is_unasked: Callable[[], bool], remedy: str = REMEDY
    ) -> None:
        """`is_unasked` tells of the current request that it does not matter who sent it."""
        self._remedy = remedy
        self._access = settings.access
        self._auth = auth
        self._scheme = scheme_of(auth)
        self._is_unasked = is_unasked
        self._tickets = Tickets()

    def install(self, app: Quart) -> None:
        app.extensions[_TICKETS] = self._tickets
        app.extensions[_REMEDY] = self._remedy
        app.before_request(self.identify)
        app.before_websocket(self.identify)

    async def identify(self) -> None:
        if self._is_unasked():
            g.caller, g.user = client_network(), None
            return
        unix = connection_of(current()).get("unix", False)
        g.challenge = self._auth.challenge
        uid = await self._uid()
        g.caller = client_network() if uid is None else f"user {uid}"
        ticket = _ticket()
        if ticket is not None:
            g.user = self._tickets.redeem(ticket)
            return
        g.token = _token(self._scheme)
        try:
            g.user = await self._auth.identify(Peer(uid, g.token, _is_foreign(), unix, g.caller))
        except PluginError:
            g.user, g.unknown = None, True  # a stranger, so that what is public is served

    async def _uid(self) -> int | None:
        asked = current()
        client, server = asked.scope["client"], asked.scope["server"]
        if is_proxied():
            return None  # nobody behind a proxy is known by the kernel
        connection = connection_of(asked)
        if connection.get("unix"):
            return int(connection["uid"])
        if self._access == "login" or not client or not ip_address(client[0]).is_loopback:
            return None
        if self._access == "loopback":
            return os.getuid()
        if "uid" not in connection:
            connection["uid"] = await trio.to_thread.run_sync(sockettable.owner, client[:2], server[:2])
        uid: int | None = connection["uid"]
        return uid


def scheme_of(auth: Auth) -> str:
    """Return the scheme by which callers present their tokens, such as "bearer"."""
    return auth.challenge.partition(" ")[0].lower()


def _token(expected: str) -> str | None:
    """Return the token that is presented; one of a scheme that nobody knows here is empty, and so never valid."""
    asked = current()
    given = asked.headers.getlist("Authorization")
    if given:
        scheme, _, token = given[0].partition(" ")
        return token.strip() if scheme.lower() == expected and len(given) == 1 else ""
    if expected == "bearer" and not has_request_context():
        for protocol in asked.requested_subprotocols:
            if protocol.startswith(_BEARER_PROTOCOL):
                return str(protocol.removeprefix(_BEARER_PROTOCOL))
    return None


def _ticket() -> str | None:
    """Return the ticket that stands in the URL; routes that take none refuse it as an unknown parameter."""
    ticket: str | None = current().args.get("ticket")
    return ticket


def _is_foreign() -> bool:
    headers = current().headers
    origin = headers.get("Origin")
    sites = headers.getlist("Sec-Fetch-Site")
    return not {"same-origin", "none"}.issuperset(sites) or (origin is not None and not is_own_origin(origin))
