"""Keeps everything in one SQLite file."""

from __future__ import annotations

import msgspec

from ccod import Settings, Storage, hookimpl


@hookimpl
def ccod_settings() -> type[msgspec.Struct]:
    from ccod_sql.settings import SqliteSettings

    return SqliteSettings


@hookimpl
def ccod_storage(settings: Settings) -> Storage:
    import socket

    from ccod_sql.settings import SqliteSettings
    from ccod_sql.storage import SqlStorage

    return SqlStorage(settings[SqliteSettings], settings.core.machine or socket.gethostname())
