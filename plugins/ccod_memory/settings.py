"""The `[memory]` table."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from ccod import Bytes, setting


class MemorySettings(Struct, forbid_unknown_fields=True):
    """Answers that are kept in memory."""

    size: Annotated[Bytes, setting("Most bytes of answers that are kept; 0 keeps none.")] = 16 * 1024 * 1024
