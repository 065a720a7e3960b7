"""Makes an encrypted copy of a database that is not, or is with another key."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import cast

from sqlcipher3 import dbapi2

from ccod import ConfigError, UnavailableError
from ccod_sql.engine import SQLITE, Driver
from ccod_sqlcipher.driver import PLAIN_HEADER, Sqlcipher

KEPT = ("auto_vacuum", "application_id", "user_version")
"""What belongs to the file and is in none of its tables. The first holds only for a file with nothing in it yet."""


def encrypt(plain: Path, to: Path, driver: Sqlcipher, before: Driver = SQLITE) -> None:
    """Copy the database at `plain`, which `before` can open, to a new file, and check the copy.

    It is there as a whole, or not at all.
    """
    before.require_own(plain)
    part = to.with_name(f"{to.name}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        raise ConfigError(f"{part}: is there already; remove it, or name another file") from None
    try:
        _export(plain, part, driver, before)
        if problems := _problems(part, driver):
            raise UnavailableError(f"{plain}: its copy is damaged: {problems[0]}; `ccod db check` tells more")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(to)
    finally:
        part.unlink(missing_ok=True)


def _export(plain: Path, to: Path, driver: Sqlcipher, before: Driver) -> None:
    with closing(_opened(plain, before)) as source:
        source.execute(f"ATTACH DATABASE ? AS sealed KEY {driver.secret}", (str(to),))
        source.execute(f"PRAGMA sealed.cipher_plaintext_header_size = {PLAIN_HEADER}")
        for pragma in KEPT:
            ((value,),) = source.execute(f"PRAGMA main.{pragma}")
            source.execute(f"PRAGMA sealed.{pragma} = {int(value)}")
        source.execute("SELECT sqlcipher_export('sealed')").fetchall()
        source.execute("DETACH DATABASE sealed")


def _opened(path: Path, before: Driver) -> sqlite3.Connection:
    """Connect with the library that can write the copy, whatever wrote the file."""
    if isinstance(before, Sqlcipher):
        return before.connect(path, "ro")
    connection = cast(sqlite3.Connection, dbapi2.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None))
    connection.execute("PRAGMA cipher_log_level = NONE")
    return connection


def _problems(path: Path, driver: Sqlcipher) -> list[str]:
    """Return what does not fit together in a file, or was not written by this key."""
    with closing(driver.connect(path, "ro")) as copy:
        found = [str(text) for (text,) in copy.execute("PRAGMA cipher_integrity_check")]
        return found + [text for (text,) in copy.execute("PRAGMA integrity_check") if text != "ok"]
