"""A database that cannot be opened is told of in one line, without a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccod import CcodError, ConfigError, Finding, Settings, StorageUnavailableError, UnavailableError
from ccod.settings import CoreSettings
from ccod.testing.asking import Clock, send
from ccod.testing.transcripts import Transcript
from ccod_sql import schema
from ccod_sql.postgres.checks import findings
from ccod_sql.postgres.settings import PostgresSettings
from tests.plugins.postgres.conftest import opened
from tests.postgres import Server, url_of

PASSWORD = "correct-horse"


@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        ("", ConfigError, "url: is empty"),
        (f"postgresql://ccod:{PASSWORD}%zz@here/ccod", ConfigError, "%40 for @"),
        (f"postgres//ccod:{PASSWORD}@here", ConfigError, "none that PostgreSQL takes"),
        (f"postgresql://ccod:{PASSWORD}@127.0.0.1:1/ccod", StorageUnavailableError, "start PostgreSQL"),
        (f"postgresql://nobody:{PASSWORD}@/ccod?host=FOLDER", ConfigError, "user or password is refused"),
        (f"postgresql://ccod:{PASSWORD}@/nowhere?host=FOLDER", ConfigError, "`createdb` makes it"),
        (f"postgresql://ccod:{PASSWORD}@/ccod?host=/nowhere", StorageUnavailableError, "start PostgreSQL"),
    ],
)
async def test_what_does_not_open_is_one_line(
    server: Server, tmp_path: Path, url: str, kind: type[CcodError], said: str
) -> None:
    with pytest.raises(kind) as refused:
        async with opened(url.replace("FOLDER", str(server.folder)), tmp_path, Clock()):
            pass
    assert said in str(refused.value)
    assert PASSWORD not in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_doctor_tells_whether_the_database_is_there(server: Server, url: str) -> None:
    def found(url: str, storage: str = "postgres") -> list[Finding]:
        settings = Settings(CoreSettings(storage=storage), {PostgresSettings: PostgresSettings(url=url)})
        return [*findings(settings)]

    (well,) = found(url)
    assert (well.code, well.state) == ("database", "ok")
    assert "MB, on PostgreSQL 1" in well.text
    (wrong,) = found(f"{url}&port=1")
    assert (wrong.code, wrong.state, wrong.fix) == ("database", "problem", "ccod config show postgres --origin")
    assert not found(url, "sqlite")


async def test_a_database_of_another_program_stays_as_it_is(server: Server, clock: Clock, tmp_path: Path) -> None:
    name = server.fresh()
    server.run("CREATE TABLE projects (title text)", name)
    with pytest.raises(ConfigError, match="a table 'projects' that is not ccod's"):
        async with opened(server.url(name), tmp_path, clock):
            pass
    assert server.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name) == [("projects",)]


async def test_a_database_of_a_newer_ccod_is_refused(server: Server, clock: Clock, tmp_path: Path) -> None:
    name = server.fresh()
    async with opened(server.url(name), tmp_path, clock):
        pass
    assert server.run("SELECT version_num FROM alembic_version", name) == [(schema.HEAD,)]
    server.run("UPDATE alembic_version SET version_num = '9999'", name)
    with pytest.raises(ConfigError, match="written by a newer ccod"):
        async with opened(server.url(name), tmp_path, clock):
            pass


async def test_a_user_who_may_not_make_tables_is_told(server: Server, clock: Clock, tmp_path: Path) -> None:
    name = server.fresh()
    server.run("CREATE ROLE guest LOGIN")
    with pytest.raises(UnavailableError, match="permission denied"):
        async with opened(url_of(server.folder, name).replace("ccod@", "guest@"), tmp_path, clock):
            pass


async def test_each_machine_may_have_a_user_of_its_own(server: Server, clock: Clock, tmp_path: Path) -> None:
    name = server.fresh()
    server.run(f"CREATE ROLE team; ALTER DATABASE {name} OWNER TO team")
    for user in ("anna", "ben"):
        server.run(f"CREATE ROLE {user} LOGIN IN ROLE team; ALTER ROLE {user} SET role = 'team'")
        url = url_of(server.folder, name).replace("ccod@", f"{user}@")
        async with opened(url, tmp_path, clock, {}) as storage:
            await send(storage, Transcript(user).add(uuid=user, at=1))
    assert server.run("SELECT count(*) FROM conversations", name) == [(2,)]


async def test_a_copy_of_a_database_is_another(server: Server, clock: Clock, tmp_path: Path) -> None:
    name = server.fresh()
    async with opened(server.url(name), tmp_path, clock) as storage:
        await send(storage, Transcript().add(uuid="a", at=1))
        first = await storage.position()
    server.run(f"CREATE DATABASE {name}_copy TEMPLATE {name}")
    async with opened(server.url(f"{name}_copy"), tmp_path, clock) as storage:
        copy = await storage.position()
    async with opened(server.url(name), tmp_path, clock) as storage:
        assert await storage.position() == first
    assert copy.seq == first.seq
    assert copy.epoch != first.epoch


async def test_the_number_of_an_event_outlives_its_row(server: Server, url: str, clock: Clock, tmp_path: Path) -> None:
    async with opened(url, tmp_path, clock, {}) as storage:
        transcript = Transcript().add(uuid="a", at=1)
        await send(storage, transcript)
        before = await storage.position()
        server.run("DELETE FROM events", "ccod")
        assert await storage.position() == before
        server.run("DELETE FROM events", "ccod")
        assert (await send(storage, transcript.add(uuid="b", at=2))).events[0].seq == before.seq + 1
        last = await storage.position()
        assert last.seq == before.seq + 1
        server.run("DELETE FROM events", "ccod")
        assert await storage.position() == last
