"""What stands in the file, and who can read it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ccod import CcodError, ConfigError, Message, MessageQuery
from ccod.testing import RoundPrices, Transcript
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from ccod_sqlcipher.driver import PLAIN_HEADER, Sqlcipher
from ccod_sqlcipher.export import encrypt
from ccod_sqlcipher.keys import kept_key, made_key, problem_of

CANARY = b"canary-in-the-mine"
OTHER = "f0" + "00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1"

Storages = Callable[..., SqlStorage]


def content(path: Path) -> bytes:
    return path.read_bytes()


def flip(path: Path, at: int) -> None:
    changed = bytearray(path.read_bytes())
    changed[at] ^= 1
    path.write_bytes(changed)


def in_folder(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.iterdir() if file.is_file())


def said() -> Transcript:
    return Transcript().add(body=CANARY, uuid=CANARY.decode(), at=1, cwd=f"/w/{CANARY.decode()}")


async def tell(storage: SqlStorage) -> None:
    await storage.append("tests", *said().batch())


async def heard(storage: SqlStorage) -> list[Message]:
    return [*(await storage.messages("conversation-1", MessageQuery())).items]


def plain(path: Path) -> SqlStorage:
    return SqlStorage(SqliteSettings(path=str(path)), "machine", RoundPrices())


async def test_nothing_that_was_said_stands_in_any_file(storages: Storages, tmp_path: Path) -> None:
    async with storages() as storage:
        await tell(storage)
        journal = content(tmp_path / "ccod.db-wal")
        assert len(journal) > 4096
        held = in_folder(tmp_path)
    for bytes_ in (held, journal, content(tmp_path / "ccod.db")):
        assert CANARY not in bytes_
        assert b"CREATE TABLE" not in bytes_
    async with plain(tmp_path / "plain" / "ccod.db") as storage:
        await tell(storage)
    assert CANARY in (tmp_path / "plain" / "ccod.db").read_bytes(), "or else this test would see nothing"


async def test_the_mark_can_be_read_and_no_more(storages: Storages, database: Path) -> None:
    async with storages() as storage:
        await tell(storage)
    whole = content(database)
    assert whole.startswith(b"SQLite format 3\0")
    assert whole[68:72] == b"ccod"
    page = whole[PLAIN_HEADER:4096]
    assert len(set(page)) > 200, "noise"
    with closing(sqlite3.connect(database)) as stock, pytest.raises(sqlite3.DatabaseError):
        stock.execute("SELECT * FROM sqlite_master").fetchall()


async def test_another_key_is_told_in_one_line_and_changes_nothing(storages: Storages, database: Path) -> None:
    async with storages() as storage:
        await tell(storage)
    before = content(database)
    with pytest.raises(ConfigError, match=r"\[sqlcipher\] key: .* cannot be read with this key"):
        async with storages(OTHER):
            pass
    assert content(database) == before
    async with storages() as storage:
        assert len(await heard(storage)) == 1


async def test_a_page_that_somebody_changed_is_noticed(storages: Storages, database: Path) -> None:
    async with storages() as storage:
        await tell(storage)
    flip(database, 200)
    with pytest.raises(CcodError, match="or restore a backup if it is damaged"):
        async with storages():
            pass


async def test_each_kind_of_file_names_the_other(storages: Storages, database: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is encrypted"):
        async with plain(database):
            pass
    async with plain(tmp_path / "plain.db"):
        pass
    settings = SqliteSettings(path=str(tmp_path / "plain.db"))
    with pytest.raises(ConfigError, match="is not encrypted; `ccod encrypt`"):
        async with SqlStorage(settings, "machine", RoundPrices(), driver=Sqlcipher(OTHER)):
            pass


async def test_a_database_that_is_there_is_encrypted(database: Path, key: str) -> None:
    source, sealed = database.with_name("plain.db"), database.with_name("sealed.db")
    async with plain(source) as storage:
        await tell(storage)
        shown = await heard(storage)
        facts = await storage.facts()
    encrypt(source, sealed, Sqlcipher(key))
    assert CANARY not in content(sealed)
    assert [path.name for path in database.parent.glob("*.part*")] == []
    settings = SqliteSettings(path=str(sealed))
    async with SqlStorage(settings, "machine", RoundPrices(), driver=Sqlcipher(key)) as storage:
        assert await heard(storage) == shown
        assert (await storage.facts()).messages == facts.messages
        assert (await storage.facts()).engine == "SQLCipher"
        await storage.append("tests", *said().add(uuid="more", at=2).batch())
        assert len(await heard(storage)) == 2
        assert (await storage.vacuum()).in_steps
    assert CANARY in content(source)


async def test_a_database_gets_another_key(database: Path, storages: Storages, key: str) -> None:
    async with storages() as storage:
        await tell(storage)
        shown = await heard(storage)
    to = database.with_name("again.db")
    encrypt(database, to, Sqlcipher(OTHER), Sqlcipher(key))
    settings = SqliteSettings(path=str(to))
    async with SqlStorage(settings, "machine", RoundPrices(), driver=Sqlcipher(OTHER)) as storage:
        assert await heard(storage) == shown
    with pytest.raises(ConfigError, match="cannot be read with this key"):
        Sqlcipher(key).require_own(to)
    with pytest.raises(ConfigError, match="cannot be read with this key"):
        encrypt(database, database.with_name("third.db"), Sqlcipher(OTHER), Sqlcipher(OTHER))
    assert CANARY not in content(to)


def test_who_looks_makes_no_key(tmp_path: Path, key: str) -> None:
    path, database = tmp_path / "ccod" / "sqlcipher.key", tmp_path / "ccod.db"
    assert kept_key(path, database) == ""
    assert not path.parent.exists()
    database.touch()
    with pytest.raises(ConfigError, match="is not there; put it back"):
        Sqlcipher(kept_key(path, database)).connect(database, "ro")
    assert made_key(path, database) == kept_key(path, database)
    with pytest.raises(ConfigError, match="cannot be read with this key"):
        database.write_bytes(b"SQLite format 3\0" + bytes(4) + b"\x50" + bytes(4075))
        Sqlcipher(key).require_own(database)


def test_a_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    path, database = tmp_path / "ccod" / "sqlcipher.key", tmp_path / "ccod.db"
    key = made_key(path, database)
    assert problem_of(key) is None
    assert path.stat().st_mode & 0o777 == 0o600
    assert made_key(path, database) == key
    assert [file.name for file in path.parent.iterdir()] == ["sqlcipher.key"]
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="others may read"):
        made_key(path, database)
    path.unlink()
    database.write_bytes(b"x")
    with pytest.raises(ConfigError, match="put it back"):
        made_key(path, database)
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "a" * 64, "password", "0123", "g" * 64, "00" * 33])
def test_what_is_no_key_is_refused(text: str) -> None:
    assert problem_of(text) is not None
