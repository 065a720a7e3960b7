"""Where the server is found: known once its sockets are open."""

from __future__ import annotations

from collections.abc import Sequence

from quart import Quart, current_app

_SERVED = "CCOD_SERVED_AT"


def served_by(app: Quart) -> list[str]:
    """Return the list of where `app` is served, to be filled by who opens the sockets."""
    served: list[str] = app.config.setdefault(_SERVED, [])
    return served


def served_at() -> Sequence[str]:
    """Return where the current application is served: a URL for TCP, and the path of the Unix socket."""
    return served_by(current_app)
