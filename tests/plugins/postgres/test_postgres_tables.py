"""Tables on PostgreSQL are the same whether they were made now or by the first ccod that knew PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ccod.testing.asking import Clock, messages, send
from ccod.testing.transcripts import Transcript
from ccod_sql import schema
from ccod_sql.postgres.making import portable
from tests.plugins.postgres.conftest import opened
from tests.postgres import Server

FIRST = Path(__file__).with_name("first.sql")
"""As `pg_dump` wrote it, of schema 0006."""
OF_ALL = """
SELECT format('%s.%s %s %s', table_name, column_name, data_type, collation_name) FROM information_schema.columns
WHERE table_schema = 'public'
UNION SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1
"""


async def test_the_tables_are_those_that_the_statements_know(server: Server, clock: Clock, tmp_path: Path) -> None:
    async with opened(server.url(server.fresh()), tmp_path, clock) as storage:
        with storage._database.writer.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={"compare_type": True, "include_name": lambda name, kind, _: (kind, name) != ("table", "search")},
            )
            assert compare_metadata(context, portable()) == []


async def test_the_first_database_becomes_one_of_now(server: Server, clock: Clock, tmp_path: Path) -> None:
    old, new = server.fresh(), server.fresh()
    server.run(f"{FIRST.read_text()}; INSERT INTO alembic_version VALUES ('0006')", old)
    async with opened(server.url(old), tmp_path, clock, {}) as storage:
        await send(storage, Transcript().add(uuid="a", at=1))
        assert len(await messages(storage)) == 1
    async with opened(server.url(new), tmp_path, clock):
        pass
    assert server.run("SELECT version_num FROM alembic_version", old) == [(schema.HEAD,)]
    assert server.run(OF_ALL, old) == server.run(OF_ALL, new)
