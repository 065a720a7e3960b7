"""Who may do what: the one place that decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ccod.users import Right, User

Access = Literal["public", "read", "write", "reveal", "admin"]
"""What a route asks of its caller. `public`: nothing. `read`: to see what is stored, secrets masked. `write`: to change
what people said of it, such as a project's name. `reveal`: to see secrets. `admin`: all that concerns other users, or
cannot be undone."""

RIGHTS: Mapping[str, frozenset[Right]] = {
    "owner": frozenset({"read"}),
    "user": frozenset({"read", "write"}),
    "admin": frozenset({"read", "write", "reveal", "admin"}),
}
"""What each role may do. The owner is whoever runs the daemon, without a token: on the Unix socket an admin, on TCP,
where web pages can send requests too, a reader."""


def may(user: User | None, access: Access) -> bool:
    """Tell whether `user`, None for a stranger, may have what is asked for."""
    if access == "public":
        return True
    return user is not None and access in RIGHTS[user.role] and (user.scopes is None or access in user.scopes)
