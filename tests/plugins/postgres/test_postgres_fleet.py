"""What contrib/fleet tells PostgreSQL is what that takes, and who is let in so can do no more than they should."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccod import Health, Read, ReadQuery, UnavailableError
from ccod.testing.asking import Clock, maintain, messages, send
from ccod.testing.transcripts import Transcript, response, uses
from tests.plugins.postgres.conftest import opened
from tests.postgres import Server, program, reason_to_skip, running

FLEET = Path(__file__).parents[3] / "contrib" / "fleet"

if not FLEET.exists():
    pytest.skip("the fleet's files are in the source tree", allow_module_level=True)
if reason := reason_to_skip():
    pytest.skip(reason, allow_module_level=True)

OWNER = "SELECT rolname, rolsuper, rolpassword LIKE 'SCRAM%' FROM pg_database JOIN pg_authid a ON a.oid = datdba"
FORBIDDEN = (
    "UPDATE reads SET email = 'another'",
    "DELETE FROM reads",
    "TRUNCATE reads",
    "DROP TABLE reads",
    "CREATE TRIGGER t BEFORE INSERT ON reads EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "SELECT setval('reads_id_seq', 1)",
    "INSERT INTO kept VALUES ('jwt', 'user_1', '')",
    "UPDATE kept SET value = ''",
    "DELETE FROM kept",
    "UPDATE alembic_version SET version_num = '0001'",
    "CREATE TABLE mine (id int)",
    "SET ROLE team",
)
READ = Read(1, "user_1", "me@example.com", "login_1", "10.0.0.1", "GET /api/search", "c1", "laptop", "node")


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the database `team` that belongs to the role of this name."""
    password = tmp_path_factory.mktemp("secrets") / "password"
    password.write_text("it's a secret")
    with running() as server:
        script = (FLEET / "database.sql").read_text().replace("/run/secrets/postgres_password", str(password))
        run(server, "postgres", script.replace("ccod", "team"))
        yield server


def run(server: Server, database: str, script: str) -> None:
    place = ["-h", str(server.folder), "-U", "ccod", "-d", database, "-v", "ON_ERROR_STOP=1"]
    subprocess.run([str(program("psql")), *place], input=script, text=True, check=True)


def test_the_database_is_made_and_its_doors_are_understood(team: Server) -> None:
    assert team.run(f"{OWNER} WHERE datname = 'team'") == [("team", False, True)]
    doors = team.folder / "data" / "pg_hba.conf"
    kept = doors.read_text()
    doors.write_text((FLEET / "pg_hba.conf").read_text())
    (wrong,) = team.run("SELECT error FROM pg_hba_file_rules WHERE error IS NOT NULL")
    assert wrong == ("hostssl record cannot match because SSL is disabled",)  # which it is here
    assert team.run("SELECT count(*) FROM pg_hba_file_rules") == [(3,)]
    doors.write_text(kept)


async def test_a_collector_stores_and_reads_but_changes_no_log_and_no_account(
    team: Server, clock: Clock, tmp_path: Path
) -> None:
    import psycopg

    def url(user: str) -> str:
        return team.url("team").replace("ccod@", f"{user}@")

    async with opened(url("team"), tmp_path, clock) as node:
        await node.keep("jwt", {"instance": b"one"})
        run(team, "team", (FLEET / "collectors.sql").read_text().replace("ROLE ccod", "ROLE team"))
        team.run("CREATE ROLE anna LOGIN IN ROLE collectors")
        async with opened(url("anna"), tmp_path, clock, machine="laptop") as collector:
            one = Transcript().add(uuid="a", at=1, cwd="/w").add_garbage()
            one.add("assistant", uuid="b", at=2, response=response("b"), tool_uses=uses("t"))
            await send(collector, one)
            await send(collector, Transcript("gone").add(uuid="c", at=1))
            await collector.forget_conversation("gone")
            await collector.note_reads([READ])
            await maintain(collector)
            assert await collector.kept("jwt") == {"instance": b"one"}
            assert [message.id for message in await messages(node)] == ["a", "b"]
        with psycopg.connect(url("anna"), autocommit=True) as connection:
            for statement in FORBIDDEN:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)
        assert (await node.noted_reads(ReadQuery(limit=10))).items == [READ]
        team.run("UPDATE alembic_version SET version_num = '0006'", "team")
        with pytest.raises(UnavailableError, match="older ccod, or none yet; start a daemon of this version first"):
            async with opened(url("anna"), tmp_path, clock):
                pass
        team.run("UPDATE alembic_version SET version_num = '0007'", "team")
        await node.maintain(Health())
    team.run("CREATE TABLE later (id bigserial)", "team")  # by the superuser: nothing is given of that
    run(team, "team", "SET ROLE team; CREATE TABLE brought (id bigserial PRIMARY KEY)")
    with psycopg.connect(url("anna"), autocommit=True) as connection:
        connection.execute("INSERT INTO brought DEFAULT VALUES")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO later DEFAULT VALUES")
