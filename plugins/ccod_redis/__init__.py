"""Keeps answers on a server of Redis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ccod import hookimpl
from ccod_redis.settings import RedisSettings, require_client

if TYPE_CHECKING:
    from ccod import Cache, Finding, Settings


@hookimpl
def ccod_settings() -> type[RedisSettings]:
    return RedisSettings


@hookimpl
def ccod_cache(settings: Settings) -> Cache:
    require_client()
    from ccod_redis.cache import RedisCache

    return RedisCache(settings[RedisSettings])


@hookimpl
def ccod_checks(settings: Settings) -> Iterable[Finding]:
    from ccod_redis.checks import findings

    return findings(settings)
