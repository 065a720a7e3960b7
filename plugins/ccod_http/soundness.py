"""What is wrong with a request, before anything is made of it."""

from __future__ import annotations

from urllib.parse import urlsplit

import h11

MAX_TARGET = 8 * 1024
MAX_HEADERS = 16 * 1024
MAX_HEADER_COUNT = 100
"""Longest URL and longest headers in bytes, and how many headers a request may have."""


def fault(request: h11.Request) -> int | None:
    """Return the status that refuses a request, None for one that is sound."""
    if request.http_version not in {b"1.0", b"1.1"}:
        return 505
    if len(request.target) > MAX_TARGET:
        return 414
    size = sum(len(name) + len(value) + 4 for name, value in request.headers)
    if size > MAX_HEADERS or len(request.headers) > MAX_HEADER_COUNT:
        return 431
    names = {name for name, _ in request.headers}
    if {b"content-length", b"transfer-encoding"} <= names:
        return 400  # where the body ends is then a matter of opinion
    return None if _is_target(request.target) else 400


def is_upgrade(request: h11.Request) -> bool:
    return any(name == b"upgrade" and value.lower() == b"websocket" for name, value in request.headers)


def is_sound_upgrade(request: h11.Request) -> bool:
    """Tell whether a request for an upgrade has no body and only such headers as a handshake can read."""
    for name, value in request.headers:
        if name == b"transfer-encoding" or (name == b"content-length" and value != b"0"):
            return False
        if name.startswith((b"sec-websocket-", b"connection")) and not value.isascii():
            return False
    return True


def _is_target(target: bytes) -> bool:
    """Tell whether Quart can read a target: it fails where there is no path, and at half of an IPv6 address."""
    try:
        return target.startswith(b"/") or target == b"*" or bool(urlsplit(target).netloc)
    except ValueError:
        return False
