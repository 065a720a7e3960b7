"""The `[ws]` table."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from ccod import Seconds, setting


class WsSettings(Struct, forbid_unknown_fields=True):
    """WebSocket clients."""

    max_connections: Annotated[
        int, setting("How many clients may be connected at once.", env="WS_MAX_CONNECTIONS", live=True, ge=0)
    ] = 100
    max_per_address: Annotated[int, setting("How many of them may come from one address.", ge=0)] = 100
    max_per_account: Annotated[int, setting("How many of them may be of one account, the owner's apart.", ge=0)] = 50
    ping_interval: Annotated[
        Seconds,
        setting("How often each client is pinged; 0 never.", env="WS_PING_INTERVAL", env_unit="ms", live=True),
    ] = 30
    pong_timeout: Annotated[
        Seconds,
        setting(
            "How soon a client must answer a ping; 0 allows any time.",
            env="WS_PONG_TIMEOUT",
            env_unit="ms",
            live=True,
        ),
    ] = 5
