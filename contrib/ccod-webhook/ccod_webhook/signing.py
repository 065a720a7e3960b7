"""Signs what is sent, so that its receiver knows who sent it and when."""

from __future__ import annotations

import hashlib
import hmac


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return HMAC-SHA256 of `<timestamp>.<body>`, in hexadecimal."""
    return hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()
