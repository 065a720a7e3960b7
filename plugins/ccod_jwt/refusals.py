"""Why something is refused, in words that a client may read."""

from __future__ import annotations

from typing import Literal

from ccod import CcodError

Code = Literal[
    "AUTH_FAILED",
    "AUTH_TOKEN_INVALID",
    "ACCESS_DENIED",
    "NOT_FOUND",
    "RESOURCE_ALREADY_EXISTS",
    "LAST_ADMIN",
    "NO_LOGIN",
    "RESOURCE_LIMIT_EXCEEDED",
    "VALIDATION_FAILED",
    "RATE_LIMIT_EXCEEDED",
    "SERVICE_UNAVAILABLE",
]


class RefusedError(CcodError):
    """`code` is for programs; `wait` says in how many seconds to try again, where that helps."""

    def __init__(self, code: Code, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.wait = wait
