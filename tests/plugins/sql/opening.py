"""Opens a storage that knows the parser of Claude Code, or another one."""

from __future__ import annotations

from pathlib import Path

from ccod import Parser
from ccod.testing.asking import Clock
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from tests.plugins.sql.feeding import PARSERS
from tests.prices import PRICES


def opened(database: Path, clock: Clock, parser: Parser | None = None) -> SqlStorage:
    parsers = {parser.format: parser} if parser else PARSERS
    return SqlStorage(SqliteSettings(path=str(database)), "machine", PRICES, clock, parsers)
