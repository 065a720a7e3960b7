"""What contrib/fleet tells PostgreSQL is what PostgreSQL takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.postgres import program, reason_to_skip, running

FLEET = Path(__file__).parents[3] / "contrib" / "fleet"

if not FLEET.exists():
    pytest.skip("the fleet's files are in the source tree", allow_module_level=True)
if reason := reason_to_skip():
    pytest.skip(reason, allow_module_level=True)


def test_the_database_is_made_and_its_doors_are_understood(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("it's a secret")
    script = (FLEET / "database.sql").read_text().replace("/run/secrets/postgres_password", str(tmp_path / "password"))
    with running() as server:
        place = ["-h", str(server.folder), "-U", "ccod", "-d", "postgres", "-v", "ON_ERROR_STOP=1"]
        subprocess.run([str(program("psql")), *place], input=script.replace("ccod", "team"), text=True, check=True)
        owner = (
            "SELECT rolname, rolsuper, rolpassword LIKE 'SCRAM%' FROM pg_database JOIN pg_authid a ON a.oid = datdba"
        )
        assert server.run(f"{owner} WHERE datname = 'team'") == [("team", False, True)]
        doors = server.folder / "data" / "pg_hba.conf"
        doors.write_text((FLEET / "pg_hba.conf").read_text())
        (wrong,) = server.run("SELECT error FROM pg_hba_file_rules WHERE error IS NOT NULL")
        assert wrong == ("hostssl record cannot match because SSL is disabled",)  # which it is here
        assert server.run("SELECT count(*) FROM pg_hba_file_rules") == [(3,)]
