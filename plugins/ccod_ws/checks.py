"""What `ccod doctor` finds about the WebSocket: whether it opens, and whether there is room for more clients."""

from __future__ import annotations

from collections.abc import Iterator

from ccod import Finding, Settings

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "Y2NvZCBkb2N0b3IgYXNrcw==",
}
SWITCHING = 101


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
        yield Finding("websocket", "problem", text, "ccod service logs")
    try:
        yield _room(get(settings, "/api/websocket/status"))
    except RefusedError:
        return  # this user is no administrator


def _room(found: dict[str, int]) -> Finding:
    used, most = found["connections"], found["maxConnections"]
    text = f"{used} clients are connected, at most {most} can be"
    if used >= 0.9 * most:
        return Finding("websocket-limit", "warning", text, f"ccod config set ws.max_connections {2 * max(most, 50)}")
    return Finding("websocket-limit", "ok", text)
