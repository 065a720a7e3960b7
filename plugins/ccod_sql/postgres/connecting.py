"""Connects to a server: what is set for each connection, and what takes the place of one that broke."""

from __future__ import annotations

from typing import Any

import psycopg
from msgspec import Struct
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

from ccod import ConfigError
from ccod_sql import bulk
from ccod_sql.postgres.adapting import adapt
from ccod_sql.postgres.bulk import copy_rows
from ccod_sql.postgres.settings import PostgresSettings
from ccod_sql.postgres.texts import Tsvectors
from ccod_sql.texts import OPTION

KEEPALIVE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""For a server that is cut off, in seconds but for the last, which is in milliseconds."""
BOTH = {
    "client_encoding": "UTF8",
    "bytea_output": "hex",
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "jit": "off",  # which costs more than it gains for statements like ours
}
WRITER = {
    "synchronous_commit": "on",  # what was told of must outlive the server
    "default_transaction_isolation": r"read\ committed",  # what was committed before one's turn is seen in it
    "lock_timeout": 5000,  # other daemons have their turns
    "idle_in_transaction_session_timeout": 60_000,  # who stands still holds up all others
    "idle_session_timeout": 120_000,  # and is no keeper: whoever runs says something every two seconds
}
LISTENER = {"default_transaction_read_only": "on"}
READER = {"default_transaction_read_only": "on", "default_transaction_isolation": r"repeatable\ read"}


class Server(Struct, frozen=True):
    """How a database is connected to. `name` is for people: it has no password in it."""

    parameters: dict[str, Any]
    name: str

    @classmethod
    def of(cls, settings: PostgresSettings) -> Server:
        """Raise ConfigError for a URL that says nothing."""
        if not settings.url.strip():
            raise ConfigError("[postgres] url: is empty; write postgresql://user:password@host/database")
        try:
            given = conninfo_to_dict(settings.url.strip())
        except psycopg.ProgrammingError:  # its text has the whole URL in it, and so a password
            raise ConfigError(
                "[postgres] url: is none that PostgreSQL takes; write postgresql://user:password@host/database, with "
                "%40 for @ and %2F for / in the password"
            ) from None
        timeout = {"statement_timeout": int(1000 * settings.statement_timeout)}
        name = f"{given.get('dbname') or given.get('user') or ''} at {given.get('host') or 'this machine'}"
        return cls({**KEEPALIVE, **given, "options": _options(BOTH | timeout, given.get("options"))}, name)

    def connect(self, options: dict[str, Any]) -> psycopg.Connection[Any]:
        """Return a connection with further options. Raises the driver's error."""
        given = {"application_name": "ccod", **self.parameters}
        connection = psycopg.connect(**given | {"options": f"{given['options']} {_options(options)}"})
        adapt(connection)
        return connection


def writer(server: Server) -> Engine:
    """Return what writes, by one connection."""
    return _engine(lambda: server.connect(WRITER), 1)


def readers(server: Server, most: int) -> Engine:
    """Return what reads; each connection sees one state of the database from its first statement on.

    Upkeep reads too, and has a connection beside the `most`.
    """
    return _engine(lambda: server.connect(READER), most + 1)


def _engine(connect: Any, most: int) -> Engine:
    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=most,
        max_overflow=0,
        pool_use_lifo=True,
        paramstyle="format",  # by position, which `Rows` relies upon
        execution_options={OPTION: Tsvectors(), bulk.OPTION: copy_rows},
    )
    event.listen(engine, "checkout", _require_open)
    return engine


def _require_open(connection: psycopg.Connection[Any], *_: object) -> None:
    """Have the pool put another in the place of a connection that broke. That it broke is known without asking."""
    if connection.closed:
        raise DisconnectionError


def _options(settings: dict[str, Any], given: object = None) -> str:
    return " ".join([*(f"-c {name}={value}" for name, value in settings.items()), *([str(given)] if given else [])])
