"""What `ccod doctor` finds about the database: its file and backups, the disk, and the version of SQLite."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shlex import quote

from ccod import ConfigError, Finding, Settings, expanded, start_command
from ccod_sql import files
from ccod_sql.engine import Driver, driver_of
from ccod_sql.settings import SqliteSettings

LARGE = 10_000_000_000
LITTLE, TOO_LITTLE = 2_000_000_000, 200_000_000
WORTH_A_BACKUP = 10_000_000
OLD_DAYS = 30
UNUSED_SHARE = 0.1
PAGES = ("freelist_count", "page_size")
MOVE = "`ccod config set sqlite.path /path/on/another/disk/ccod.db`"
ENGINE_FIX = (
    "let nothing but ccod write to its database, which keeps the fault away; it ends with a Python for which "
    "`python3 -c 'import sqlite3; print(sqlite3.sqlite_version)'` tells a newer version"
)
WAL = b"\2\2"


def findings(settings: Settings) -> Iterator[Finding]:
    path = expanded(settings[SqliteSettings].path).absolute()
    driver = driver_of(settings)
    if driver is None:
        return  # another storage keeps everything elsewhere
    yield from _disk(path)
    yield from _engine(driver)
    if not path.exists():
        yield Finding("database", "ok", f"{path}: is not there yet; the daemon makes it")
        return
    yield from _file(path, driver)
    yield from _modes(path)
    yield from _backup(path)


def _file(path: Path, driver: Driver) -> Iterator[Finding]:
    from ccod_sql.sqlite import MARK

    other = f"ccod config set sqlite.path {quote(str(path.with_name('ccod-new.db')))}"
    try:
        files.prepare(path, MARK)
        driver.require_own(path)
        with path.open("rb") as file:
            mode = file.read(20)[18:]
    except (ConfigError, OSError) as error:
        yield Finding("database", "problem", str(error), _opened(path) if _is_closed(path) else other)
        return
    if not os.access(path, os.W_OK):
        yield Finding("database", "problem", f"{path}: this user may not write to it", _opened(path))
    elif mode and mode != WAL:
        yield Finding("database", "warning", f"{path}: another program took it out of WAL mode", start_command())
    yield _size(path, driver)


def _size(path: Path, driver: Driver) -> Finding:
    """A database that is large and full is as large as the history that it holds: there is nothing to mend."""
    size = path.stat().st_size
    unused = _unused(path, driver) if size > LARGE else 0
    if unused > size * UNUSED_SHARE:
        text = f"{path}: {unused / 1e9:.1f} of {size / 1e9:.1f} GB are unused"
        return Finding("database-size", "warning", text, "ccod db vacuum")
    return Finding("database-size", "ok", f"{path}: {size / 1e6:,.1f} MB")


def _unused(path: Path, driver: Driver) -> int:
    """Return the bytes of pages that hold nothing; none where that cannot be told, which other findings explain."""
    from ccod_sql.backup import read_only

    try:
        with closing(read_only(path, driver)) as connection:
            (pages,), (size,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in PAGES)
    except driver.error:
        return 0
    return int(pages) * int(size)


def _opened(path: Path) -> str:
    """Return the command that lets this user open a file."""
    if path.stat().st_uid == os.getuid():
        return f"chmod 600 {quote(str(path))}"
    return f"sudo chown {os.getuid()} {quote(str(path))}"


def _is_closed(path: Path) -> bool:
    return path.is_file() and not os.access(path, os.R_OK)


def _modes(path: Path) -> Iterator[Finding]:
    """Yield which files others may open, as after somebody copied them back."""
    beside = [path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", ".lock"))]
    for file in [*beside, *_copies(path)]:
        if file.exists() and (mode := stat.S_IMODE(file.stat().st_mode)) & 0o077:
            yield Finding(
                "file-modes", "problem", f"{file}: others may open it (mode {mode:o})", f"chmod 600 {quote(str(file))}"
            )


def _copies(path: Path) -> list[Path]:
    """Return the copies beside the database, as `ccod db backup` names them and those made before a migration."""
    return [file for file in path.parent.glob(f"{path.name}.*") if file.suffix not in {".lock", ".part"}]


def _backup(path: Path) -> Iterator[Finding]:
    copies = sorted(_copies(path), key=lambda file: file.stat().st_mtime)
    if copies:
        days = (time.time() - copies[-1].stat().st_mtime) / 86400
        text = f"the last copy beside the database, {copies[-1].name}, is {days:.0f} days old"
        old = days > OLD_DAYS
    else:
        text = "there is no copy beside the database"
        old = path.stat().st_size > WORTH_A_BACKUP
    yield Finding("backup", "warning", text, "ccod db backup") if old else Finding("backup", "ok", text)


def _disk(path: Path) -> Iterator[Finding]:
    folder = next(parent for parent in path.parents if parent.exists())
    free = shutil.disk_usage(folder).free
    text = f"{folder}: {free / 1e9:.1f} GB are free"
    fix = f"make room there; or stop ccod, move {path.name}* to another disk, and name it by {MOVE}"
    if free < LITTLE:
        yield Finding("disk-space", "problem" if free < TOO_LITTLE else "warning", text, fix)
    else:
        yield Finding("disk-space", "ok", text)


def _engine(driver: Driver) -> Iterator[Finding]:
    text = f"{driver.name} {driver.version}"
    for fault in driver.faults:
        yield Finding("sqlite-version", "warning", f"{text} has a fault, {fault}", ENGINE_FIX)
    if not driver.faults:
        yield Finding("sqlite-version", "ok", text)
