"""A daemon that cannot start says why in one line, with the exit code that tells a supervisor what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trio
from msgspec import Struct

from tests.e2e.daemon import CCOD, Daemon, run_ccod
from tests.e2e.home import Home


def one_line(stderr: str) -> str:
    lines = stderr.splitlines()
    assert len(lines) == 1, stderr
    assert "Traceback" not in stderr
    return lines[0]


async def test_a_second_daemon_on_one_database_names_the_first(daemon: Daemon) -> None:
    code, stderr = await run_ccod(daemon.home, "serve", "--config", str(daemon.home.config))
    assert code == 75
    assert str(daemon.home.database) in one_line(stderr)
    assert str(daemon.process.pid) in stderr
    assert (await daemon.get("/health"))["success"]


async def test_a_port_in_use_names_its_holder(daemon: Daemon, tmp_path: Path) -> None:
    port = urlsplit(daemon.url).port
    other = Home(tmp_path / "other", {"http": {"port": port}})
    code, stderr = await run_ccod(other, "serve", "--config", str(other.config))
    assert code == 69
    assert str(port) in one_line(stderr)
    assert str(daemon.process.pid) in stderr
    assert "--port" in stderr


class Wrong(Struct):
    """A configuration that must be refused: a whole file or some tables of one, the environment, and what is said."""

    name: str
    says: str
    file: bytes | None = None
    tables: Mapping[str, Mapping[str, Any]] = {}
    environment: Mapping[str, str] = {}


WRONG = [
    Wrong("not TOML", "TOML", file=b"[http\n"),
    Wrong("an unknown table", "'htpp'", tables={"htpp": {"port": 1}}),
    Wrong("an unknown key", "'http.port'", tables={"http": {"prot": 1}}),
    Wrong("a word for a number", "port", tables={"http": {"port": "many"}}),
    Wrong("a port too high", "port", tables={"http": {"port": 65536}}),
    Wrong("a negative duration", "scan_interval", tables={"claude": {"scan_interval": "-1s"}}),
    Wrong("every interface", "0.0.0.0", tables={"http": {"host": "0.0.0.0"}}),
    Wrong("a storage that is not there", "papyrus", environment={"CCOD_STORAGE": "papyrus"}),
    Wrong("no storage", "sqlite", environment={"CCOD_DISABLE": "sqlite"}),
    Wrong("an unknown variable", "CCOD_HTTP__PORT", environment={"CCOD_HTTP__PROT": "1"}),
    Wrong("a database that is a folder", "data", tables={"sqlite": {"path": "."}}),
    Wrong("a database that is another file", "ccod.toml", tables={"sqlite": {"path": "ccod.toml"}}),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name.replace(" ", "-"))
async def test_a_bad_configuration_is_one_line(tmp_path: Path, wrong: Wrong) -> None:
    home = Home(tmp_path, wrong.tables)
    if wrong.file is not None:
        home.config.write_bytes(wrong.file)
    code, stderr = await run_ccod(home, "serve", "--config", str(home.config), **wrong.environment)
    assert code == 78, stderr
    assert wrong.says in one_line(stderr)
    assert wrong.environment or f"{home.config}:" in stderr


async def test_strange_surroundings_do_not_keep_it_from_starting(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (gone := tmp_path / "gone").mkdir()
    program = f"""
        umask 0777; cd {gone}; rmdir {gone}
        exec {CCOD} serve --config {home.config} --set log.level=debug <&- >&- 2>&-
    """
    strange = {"NOTIFY_SOCKET": str(tmp_path / "nobody"), "TZ": "nonsense", "LANG": "C", "XDG_DATA_HOME": "relative"}
    environment = home.environment | strange | {"WATCHDOG_USEC": "100000"}
    socket = tmp_path / "ccod.sock"
    process = await trio.lowlevel.open_process(
        ["/bin/sh", "-c", program], env=environment | {"CCOD_HTTP__SOCKET": str(socket)}
    )
    try:
        with trio.fail_after(30):
            while not socket.exists():
                assert process.returncode is None
                await trio.sleep(0.02)
        process.terminate()
        with trio.fail_after(10):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert {path.stat().st_mode & 0o077 for path in home.database.parent.iterdir()} == {0}


async def test_a_relative_path_in_a_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (gone := tmp_path / "gone").mkdir()
    done = await trio.run_process(
        ["/bin/sh", "-c", f"cd {gone}; rmdir {gone}; exec {CCOD} serve --config {home.config} --database x.db"],
        env=home.environment,
        capture_stderr=True,
        check=False,
    )
    assert done.returncode == 78
    assert "the current folder is gone" in one_line(done.stderr.decode())


async def test_a_configuration_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    code, stderr = await run_ccod(Home(tmp_path), "serve", "--config", "nowhere.toml")
    assert code == 78
    assert "nowhere.toml" in one_line(stderr)
