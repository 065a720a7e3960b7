"""What `ccod doctor` finds about the database on a server."""

from __future__ import annotations

from collections.abc import Iterator

from ccod import CcodError, Finding, Settings
from ccod_sql.postgres.settings import NAME, PostgresSettings, require_driver


def findings(settings: Settings) -> Iterator[Finding]:
    if settings.core.storage != NAME:
        return
    try:
        yield Finding("database", "ok", _seen(settings[PostgresSettings]))
    except CcodError as error:
        yield Finding("database", "problem", str(error), "ccod config show postgres --origin")


def _seen(settings: PostgresSettings) -> str:
    """Connect, and return what is there. Raises CcodError."""
    require_driver()
    from ccod_sql.postgres import causes
    from ccod_sql.postgres.connecting import READER, Server

    server = Server.of(settings)
    with causes.opening(server.name), server.connect(READER) as connection:
        row = connection.execute("SELECT current_setting('server_version'), pg_database_size(current_database())")
        version, size = row.fetchone() or ("", 0)
    return f"{server.name}: {size / 1e6:,.1f} MB, on PostgreSQL {version}"
