"""Keeps answers, and counts of requests, on a server of Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ccod import hookimpl
from ccod_redis.settings import RedisSettings, require_client

if TYPE_CHECKING:
    from ccod import Cache, Finding, Settings
    from ccod_redis.counts import RedisCounts


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


@hookimpl(optionalhook=True)
def ccod_http_counts(settings: Settings) -> Callable[[], RedisCounts]:
    def make() -> RedisCounts:
        from ccod_redis.counts import counts

        return counts(settings[RedisSettings])

    return make
