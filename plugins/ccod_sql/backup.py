"""Copies of a database, made while others read and write it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path


def copy_database(path: Path, to: Path, *, checked: bool = False) -> None:
    """Copy a database with what is in its journal, as it was at one moment: whole, or not at all.

    Writers go on meanwhile. Raises OSError, or sqlite3.Error; if the copy is to be `checked`, also for one with faults.
    """
    part = to.with_name(f"{to.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(read_only(path)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
            found = faults(copy) if checked else []
        if found:
            raise sqlite3.DatabaseError(f"it is damaged: {found[0]}; `ccod db check` tells more")
        _sync(part)
        part.replace(to)
        _sync(to.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def faults(connection: sqlite3.Connection, *, quick: bool = False) -> list[str]:
    """Return what is wrong with a database, the first hundred; `quick` does not compare indexes with their tables."""
    try:
        told = connection.execute(f"PRAGMA {'quick' if quick else 'integrity'}_check").fetchall()
        lost = connection.execute("PRAGMA foreign_key_check").fetchmany(100)
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [text for (text,) in told if text != "ok"] + [
        f"row {row} of {table} leads nowhere" for table, row, *_ in lost
    ]


def read_only(path: Path) -> sqlite3.Connection:
    """Connect without writing: the daemon alone writes and empties the journal."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
