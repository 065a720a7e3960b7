"""What `ccod doctor` finds about the server."""

from __future__ import annotations

from collections.abc import Iterator

from ccod import CcodError, Finding, Settings
from ccod_redis.settings import NAME, RedisSettings, require_client


def findings(settings: Settings) -> Iterator[Finding]:
    if settings.core.cache != NAME:
        return
    try:
        yield Finding("cache", "ok", _seen(settings[RedisSettings]))
    except CcodError as error:
        yield Finding("cache", "problem", str(error), "ccod config show redis --origin")


def _seen(settings: RedisSettings) -> str:
    """Ask the server which it is. Raises CcodError."""
    require_client()
    from redis.exceptions import RedisError

    from ccod_redis.client import connect, place, unavailable

    with connect(settings) as client:
        try:
            version = client.info("server")["redis_version"]
        except RedisError as error:
            raise unavailable(place(client), error) from error
        return f"{place(client)}: Redis {version}"
