"""Makes the tables of a new database, as the latest migration has them.

The first migrations are SQLite's. A database on a server begins with the tables as they are now, and is marked as
having had all of them; those that come later are for both engines.
"""

from __future__ import annotations

from sqlalchemy import Connection, Index, MetaData, Text, inspect

from ccod import ConfigError
from ccod_sql import tables
from ccod_sql.postgres.words import GONE

SEARCH = (
    "CREATE TABLE search (key BIGINT PRIMARY KEY, words tsvector NOT NULL)",
    "CREATE INDEX ix_search_words ON search USING gin (words)",
)
BLOCKS = ("ALTER TABLE blocks ALTER COLUMN data SET STORAGE EXTERNAL",)
"""What is compressed already is not to be compressed again."""
LAST_GONE = (
    f"""
    CREATE FUNCTION ccod_keep_last_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO meta SELECT '{GONE}', max(seq) FROM gone HAVING count(*) > 0
        ON CONFLICT (key) DO UPDATE SET value = greatest(meta.value::bigint, excluded.value::bigint);
        RETURN NULL;
    END $$
    """,  # noqa: S608 - a name of ours
    "CREATE TRIGGER ccod_keep_last_event AFTER DELETE ON events REFERENCING OLD TABLE AS gone "
    "FOR EACH STATEMENT EXECUTE FUNCTION ccod_keep_last_event()",
)
"""Keep the last number that an event had, when that is deleted."""


def portable() -> MetaData:
    """Return the tables as PostgreSQL is to have them.

    Texts are in the order of their characters, whatever the database's language is. Where a row leads is looked at when
    a transaction ends, and has an index wherever rows are deleted that others lead to.
    """
    made = MetaData()
    for table in tables.metadata.sorted_tables:
        copy = table.to_metadata(made)
        for column in copy.c:
            if isinstance(column.type, Text):
                column.type = Text(collation="C")
        for constraint in copy.foreign_key_constraints:
            constraint.deferrable, constraint.initially = True, "DEFERRED"
    events, entries = made.tables["events"], made.tables["entries"]
    Index("ix_events_entry", events.c.entry_id, postgresql_where=events.c.entry_id.is_not(None))
    Index("ix_entries_response", entries.c.response_id, postgresql_where=entries.c.response_id.is_not(None))
    return made


def make(connection: Connection) -> None:
    """Make all tables, in the transaction that is under way. Raises ConfigError where there are some of others."""
    made = portable()
    if others := set(inspect(connection).get_table_names()) & {*made.tables, "search"}:
        raise ConfigError(
            f"[postgres] url: the database has a table {min(others)!r} that is not ccod's; name a database of its own"
        )
    made.create_all(connection)
    for statement in (*BLOCKS, *SEARCH, *LAST_GONE):
        connection.exec_driver_sql(statement.replace("%", "%%"))
