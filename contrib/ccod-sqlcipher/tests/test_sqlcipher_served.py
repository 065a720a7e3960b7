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
        key = tmp_path / "config" / "ccod" / "sqlcipher.key"
        await db(daemon, "doctor")
        code, said = await db(daemon, "db", "check")
        assert (code, "no database is there yet" in said, key.exists()) == (1, True, False), "they only look"
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
        home.database.unlink()
        code, said = await db(daemon, "db", "restore", str(backup))
        assert (code, said.count("\n"), "put it back" in said) == (78, 1, True), "a new key could not read it"
        assert not key.exists()


async def test_another_key_for_an_archive_that_is_there(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, start=False) as daemon:
        daemon.home.variables["CCOD_STORAGE"] = "sqlcipher"
        await daemon.start()
        write(daemon, CANARY)
        await until(daemon, 2)
        assert await daemon.terminate() == 0
        old, new = str(tmp_path / "old.db"), str(tmp_path / "new.db")
        key = tmp_path / "config" / "ccod" / "sqlcipher.key"
        before = key.read_text()
        assert await db(daemon, "db", "backup", old) == (0, "")
        key.rename(tmp_path / "old.key")
        assert await db(daemon, "encrypt", old, new, "--old-key", str(tmp_path / "old.key")) == (0, "")
        assert await db(daemon, "db", "restore", new) == (0, "")
        await daemon.start()
        await until(daemon, 2)
        assert key.read_text() != before


async def test_the_built_in_storage_cannot_be_left_out_for_it_stands_on_that(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, start=False) as daemon:
        daemon.home.variables |= {"CCOD_STORAGE": "sqlcipher", "CCOD_DISABLE": "sqlite"}
        code, said = await db(daemon, "serve")
        assert (code, said.count("\n")) == (78, 1)
        assert "needs the plugin of ccod_sql, which is left out (sqlite); keep it" in said


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
