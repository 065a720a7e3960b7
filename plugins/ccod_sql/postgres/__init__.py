"""Keeps everything in a database of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ccod import hookimpl

if TYPE_CHECKING:
    import msgspec

    from ccod import Finding, Parser, Prices, Settings, Storage


@hookimpl
def ccod_settings() -> type[msgspec.Struct]:
    from ccod_sql.postgres.settings import PostgresSettings

    return PostgresSettings


@hookimpl
def ccod_checks(settings: Settings) -> Iterable[Finding]:
    from ccod_sql.postgres.checks import findings

    return findings(settings)


@hookimpl
def ccod_storage(settings: Settings, prices: Prices, parsers: Mapping[str, Parser]) -> Storage:
    from ccod_sql.postgres.settings import PostgresSettings, require_driver

    require_driver()
    from ccod_sql.postgres.backend import OnPostgres
    from ccod_sql.storage import TableStorage

    return TableStorage(OnPostgres(settings[PostgresSettings]), settings.core.machine_name, prices, parsers=parsers)
