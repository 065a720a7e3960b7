"""`ccod db` beside a daemon, and what a person is told in one line where it cannot be."""

from __future__ import annotations

from tests.e2e.daemon import Daemon, run_ccod
from tests.e2e.database import opened
from tests.e2e.home import Home
from tests.e2e.test_start import one_line


async def test_what_needs_the_daemon_stopped_names_it(daemon: Daemon) -> None:
    home, config = daemon.home, ("--config", str(daemon.home.config))
    backup = home.path / "copy.db"
    assert await run_ccod(home, "db", "backup", str(backup), *config) == (0, "")
    assert await run_ccod(home, "db", "check", *config) == (0, "")
    code, said = await run_ccod(home, "db", "restore", str(backup), *config)
    assert code == 75
    assert str(daemon.process.pid) in one_line(said)
    assert await run_ccod(home, "db", "migrate", *config) == (0, ""), "there is nothing to do"
    assert (await daemon.get("/health"))["data"]["status"] == "healthy"
    assert await daemon.terminate() == 0
    assert await run_ccod(home, "db", "vacuum", "--json", *config) == (0, "")
    assert await run_ccod(home, "db", "restore", str(backup), *config) == (0, "")
    epoch = _epoch(home)
    await daemon.start()
    assert _epoch(home) != epoch


def _epoch(home: Home) -> str:
    with opened(home) as database:
        return str(database.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0])


async def test_a_newer_database_is_refused_in_one_line(daemon: Daemon) -> None:
    assert await daemon.terminate() == 0
    with opened(daemon.home, mode="rw") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in (["serve"], ["db", "migrate"], ["db", "migrate", "--dry-run"]):
        code, said = await run_ccod(daemon.home, *command, "--config", str(daemon.home.config))
        assert code == 78, command
        assert "newer ccod" in one_line(said)
