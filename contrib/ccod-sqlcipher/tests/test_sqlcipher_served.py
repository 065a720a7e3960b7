"""An encrypted archive in a real daemon, by configuration alone, and what `ccod db` does with it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import trio

from tests.e2e.daemon import Daemon, open_daemon, run_ccod
from tests.e2e.lines import SESSION, answer, line

CANARY = "canary-in-the-mine"


def write(daemon: Daemon, text: str) -> None:
    transcript = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
    transcript.parent.mkdir(exist_ok=True)
    with transcript.open("ab") as file:
        file.write(line(text) + answer(f"{text}: done"))


async def until(daemon: Daemon, count: int) -> None:
    """Wait until so many messages are told of."""
    with trio.fail_after(20):
        while [one["messageCount"] for one in await daemon.items("/api/conversations")] != [count]:
            await trio.sleep(0.05)


async def db(daemon: Daemon, *arguments: str) -> tuple[int, str]:
    return await run_ccod(daemon.home, *arguments, "--config", str(daemon.home.config))


async def test_an_archive_is_encrypted_served_copied_and_restored(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, start=False) as daemon:
        home = daemon.home
        home.variables["CCOD_STORAGE"] = "sqlcipher"
        await daemon.start()
        write(daemon, CANARY)
        await until(daemon, 2)
        await daemon.restart()
        write(daemon, "more")
        await until(daemon, 4)
        assert (await daemon.get(f"/api/search?q={CANARY}"))["data"]
        assert CANARY in str(await daemon.items(f"/api/conversations/{SESSION}/messages"))

        backup = tmp_path / "copies" / "backup.db"
        backup.parent.mkdir()
        assert await db(daemon, "db", "backup", str(backup)) == (0, "")
        assert await db(daemon, "db", "check") == (0, "")
        assert await db(daemon, "db", "migrate") == (0, "")
        for file in (backup, *home.database.parent.iterdir()):
            assert CANARY.encode() not in file.read_bytes(), file
        assert await daemon.terminate() == 0
        assert await db(daemon, "db", "vacuum") == (0, "")
        assert await db(daemon, "db", "restore", str(backup)) == (0, "")
        assert await db(daemon, "db", "check") == (0, "")
        await daemon.start()
        await until(daemon, 4)

        key = tmp_path / "config" / "ccod" / "sqlcipher.key"
        assert key.stat().st_mode & 0o777 == 0o600
        assert await daemon.terminate() == 0
        right = key.read_text()
        key.write_text(right[:-3] + ("00\n" if right[-3:] != "00\n" else "11\n"))
        for command in (["serve"], ["db", "backup"], ["db", "migrate"]):
            code, said = await db(daemon, *command)
            assert (code, said.count("\n")) == (78, 1), said
            assert "cannot be read with this key" in said
        key.unlink()
        code, said = await db(daemon, "serve")
        assert (code, said.count("\n"), "put it back" in said) == (78, 1, True)
        assert not key.exists()


async def test_an_archive_that_is_there_moves_over(tmp_path: Path) -> None:
    async with open_daemon(tmp_path) as daemon:
        write(daemon, CANARY)
        await until(daemon, 2)
        plain, sealed = str(tmp_path / "plain.db"), str(tmp_path / "sealed.db")
        assert await db(daemon, "db", "backup", plain) == (0, "")
        assert await db(daemon, "encrypt", plain, sealed) == (0, "")
        assert (await db(daemon, "encrypt", plain, sealed))[0] == 1, "it is there"
        assert await daemon.terminate() == 0
        daemon.home.variables["CCOD_STORAGE"] = "sqlcipher"
        code, said = await db(daemon, "serve")
        assert (code, "is not encrypted" in said) == (78, True)
        assert await db(daemon, "db", "restore", sealed) == (0, "")
        await daemon.start()
        await until(daemon, 2)
        write(daemon, "more")
        await until(daemon, 4)
        assert await daemon.terminate() == 0
        with closing(sqlite3.connect(daemon.home.database)) as stock, pytest.raises(sqlite3.DatabaseError):
            stock.execute("SELECT * FROM messages").fetchall()
        daemon.home.variables["CCOD_STORAGE"] = "sqlite"
        code, said = await db(daemon, "serve")
        assert (code, "is encrypted" in said) == (78, True)
