"""The file of what the receiver would not have."""

from __future__ import annotations

import json
import os
from pathlib import Path

LARGEST = 16 * 1024 * 1024


def bury(path: Path, at: int, reason: str, body: bytes) -> None:
    """Append a body with the reason to a file that only its owner may read; a full file makes way for a new one."""
    line = b'{"at":%d,"reason":%s,"body":%s}\n' % (at, json.dumps(reason).encode(), body)
    if path.exists() and path.stat().st_size > LARGEST:
        path.replace(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
