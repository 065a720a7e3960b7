"""Faults of the world around a daemon that end again: each is real, made by the kernel and not by us."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tests.e2e.daemon import Daemon

SMALL_BYTES = 96 * 2**20
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Root may read what nobody may; a daemon that is started so may not."""


class NotPossibleError(Exception):
    """This machine or user cannot make the fault."""


class Fault(Struct, frozen=True):
    """What goes wrong; entering `begin` makes it so, leaving ends it. `code` is what `/health` must then say.

    A disk that is full can still take what finds room in the journal: not every write is refused then.
    """

    name: str
    code: str
    begin: Callable[[Daemon], object]
    of_storage: bool = True
    refuses_all: bool = True


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Put a small file system of its own at `folder`; yield whether that was allowed."""
    folder.mkdir(parents=True)
    image = folder.with_suffix(".ext4")
    with image.open("wb") as file:
        file.truncate(SMALL_BYTES)
    mounted = _run("mkfs.ext4", "-q", "-m", "0", str(image)) and _run("mount", "-o", "loop", str(image), str(folder))
    try:
        yield mounted
    finally:
        if mounted:
            _run("umount", "--lazy", str(folder))
        image.unlink()


@contextmanager
def full_disk(daemon: Daemon) -> Iterator[None]:
    """Leave no byte on the disk of the database."""
    folder = daemon.home.database.parent
    if not folder.is_mount():
        raise NotPossibleError("no file system can be mounted here")
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue
        yield
    finally:
        filler.unlink()


@contextmanager
def read_only_files(daemon: Daemon) -> Iterator[None]:
    """Let nobody write to the database, not even who has it open.

    Its index in shared memory is left alone: the kernel ends a process that cannot write to what it has mapped.
    """
    if not daemon.home.database.parent.is_mount():
        raise NotPossibleError("not every file system takes that from who has a file open, and ext4 cannot be mounted")
    files = [f"{daemon.home.database}{suffix}" for suffix in ("", "-wal")]
    if not _run("chattr", "+i", *files):
        _run("chattr", "-i", *files)
        raise NotPossibleError("no file can be made immutable here")
    try:
        yield
    finally:
        _run("chattr", "-i", *files)


@contextmanager
def limited_files(daemon: Daemon) -> Iterator[None]:
    """Let no file of the process grow."""
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, unlimited)


@contextmanager
def moved_database(daemon: Daemon) -> Iterator[None]:
    away = daemon.home.database.with_name("elsewhere.db")
    daemon.home.database.rename(away)
    try:
        yield
    finally:
        away.rename(daemon.home.database)


@contextmanager
def missing_root(daemon: Daemon) -> Iterator[None]:
    """Rename the folder of the transcripts; what holds it open writes on."""
    away = daemon.home.root.with_name("away")
    daemon.home.root.rename(away)
    try:
        yield
    finally:
        away.rename(daemon.home.root)


@contextmanager
def locked_root(daemon: Daemon) -> Iterator[None]:
    """Let nobody look into the folder of the transcripts."""
    if os.getuid() == 0 and not shutil.which("setpriv"):
        raise NotPossibleError("root looks into every folder, and setpriv is not here")
    daemon.home.root.chmod(0)
    try:
        yield
    finally:
        daemon.home.root.chmod(0o700)


FAULTS = (
    Fault("full disk", "DISK_FULL", full_disk, refuses_all=False),
    Fault("read-only database", "STORAGE_READ_ONLY", read_only_files),
    Fault("limited files", "STORAGE_FAILING", limited_files),
    Fault("moved database", "STORAGE_MOVED", moved_database),
    Fault("missing root", "ROOT_MISSING", missing_root, of_storage=False),
    Fault("locked root", "FOLDER_UNREADABLE", locked_root, of_storage=False),
)


def _run(*command: str) -> bool:
    """Run a small program; tell whether it did what it was told."""
    if not shutil.which(command[0]):
        return False
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
