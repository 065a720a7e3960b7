"""Keeps answers in the daemon's own memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccod import hookimpl
from ccod_memory.settings import MemorySettings

if TYPE_CHECKING:
    from ccod import Cache, Settings


@hookimpl
def ccod_settings() -> type[MemorySettings]:
    return MemorySettings


@hookimpl
def ccod_cache(settings: Settings) -> Cache:
    from ccod_memory.cache import MemoryCache

    return MemoryCache(settings[MemorySettings].size)
