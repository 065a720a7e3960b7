"""What `ccod doctor` finds about the WebSocket: whether it opens, and whether there is room for more clients."""

from __future__ import annotations

from collections.abc import Iterator

from ccod import Finding, Settings, restart_advice
from ccod_ws.settings import WsSettings

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "Y2NvZCBkb2N0b3IgYXNrcw==",
}
SWITCHING, FULL = 101, 503
REFUSED = {401, 403}


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield nothing where no daemon answers: whose port it is says so."""
    from ccod_http.client import RefusedError, get, status, trouble

    if trouble(settings):
        return
    answered = status(settings, "/ws", HANDSHAKE)
    if answered == SWITCHING:
        yield Finding("websocket", "ok", "/ws opens")
    else:
        text = f"/ws answers a handshake with {answered} instead of {SWITCHING}"
        yield Finding("websocket", "problem", text, _opened(answered, settings[WsSettings].max_connections))
    try:
        yield _room(get(settings, "/api/websocket/status"))
    except RefusedError:
        return  # this user is no administrator, or the daemon has no WebSocket


def _opened(answered: int, most: int) -> str:
    """Return what lets the WebSocket open, as far as the answer tells."""
    if answered == FULL:
        return _raised(most)
    if answered in REFUSED:
        return "the daemon does not let this user in: see the finding `access`"
    return f"the daemon that runs offers none; to start it by these settings, {restart_advice()}"


def _raised(most: int) -> str:
    return f"ccod config set ws.max_connections {2 * max(most, 50)} && ccod reload"


def _room(found: dict[str, int]) -> Finding:
    used, most = found["connections"], found["maxConnections"]
    text = f"{used} clients are connected, at most {most} can be"
    if used >= 0.9 * most:
        return Finding("websocket-limit", "warning", text, _raised(most))
    return Finding("websocket-limit", "ok", text)
