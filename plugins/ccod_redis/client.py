"""A client of the server, each of whose waits has a limit, and what is wrong where it does not answer."""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
)
from redis.retry import Retry

from ccod import CacheUnavailableError, ConfigError
from ccod_redis.settings import RedisSettings

AWAY = "start it, and look at the network between"
FIXES: tuple[tuple[type[RedisError], str], ...] = (
    (AuthenticationError, "set user and password in [redis] url"),
    (AuthorizationError, "set user and password in [redis] url"),
    (NoPermissionError, "let that user read, write and run scripts below the prefix"),
    (ReadOnlyError, "let [redis] url name the primary, not a replica"),
    (OutOfMemoryError, "give it more memory, or a policy that drops what is old (maxmemory-policy)"),
    (redis.ConnectionError, AWAY),
    (redis.TimeoutError, AWAY),
)


def connect(settings: RedisSettings) -> redis.Redis:
    """Return a client, which connects when it is first used. Raises ConfigError."""
    try:
        return redis.Redis.from_url(
            settings.url,
            socket_timeout=settings.patience,
            socket_connect_timeout=settings.patience,
            max_connections=settings.connections + 1,
            retry=Retry(NoBackoff(), 0),
            client_name="ccod",
            protocol=2,
        )
    except (ValueError, TypeError) as error:
        # What the package says of a URL may hold the password.
        raise ConfigError("redis.url: no URL of Redis, such as redis://localhost:6379/0") from error


def place(client: redis.Redis) -> str:
    """Return where the server is, without a password."""
    known = client.connection_pool.connection_kwargs
    where = known.get("path") or f"{known.get('host', 'localhost')}:{known.get('port', 6379)}"
    return f"Redis at {where}"


def unavailable(where: str, error: RedisError, code: str = "CACHE_AWAY") -> CacheUnavailableError:
    fix = next((fix for kind, fix in FIXES if isinstance(error, kind)), "look into the log of the server")
    return CacheUnavailableError(f"{where}: {str(error).strip() or type(error).__name__}", code, fix)
