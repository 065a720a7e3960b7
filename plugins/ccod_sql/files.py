"""The files of a database: for the owner's eyes only, and in one daemon's hands."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ccod import BusyError, CcodError, ConfigError, UnavailableError

ELSEWHERE = "name another file with [sqlite] path or --database"
OF_THE_DISK = {errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO}
"""What passes without another configuration: systemd is to try again then."""


def prepare(path: Path, mark: bytes) -> None:
    """Make the folders above the file. A file without `mark`, its application id, is not ours and stays untouched."""
    try:
        make_folder(path.parent)
        if path.exists() and not path.is_file():
            raise ConfigError(
                f"[sqlite] path: {path}: is a {'folder' if path.is_dir() else 'device or pipe'}; {ELSEWHERE}"
            )
        header = _header(path)
    except OSError as error:
        raise refused(path, error) from error
    if header and not header.startswith(b"SQLite format 3\0"):
        raise ConfigError(f"[sqlite] path: {path}: is not a database; {ELSEWHERE}")
    if header and header[68:72] != mark:
        raise ConfigError(f"[sqlite] path: {path}: is the database of another program; {ELSEWHERE}")


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the database for this process, its files closed to everyone else whatever the umask.

    Raises BusyError at once when another daemon holds it.
    """
    with ExitStack() as stack:
        try:
            lock = _open(_beside(path, ".lock"))
            stack.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(lock, 0)
            os.write(lock, f"process {os.getpid()}, started {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n".encode())
            os.close(_open(path))
            for file in (_beside(path, "-wal"), _beside(path, "-shm")):
                if file.exists():
                    file.chmod(0o600)
        except BlockingIOError:
            holder = os.read(lock, 200).decode(errors="replace").strip() or "another process"
            raise BusyError(f"{path}: in use by {holder}; stop that daemon, or {ELSEWHERE}") from None
        except OSError as error:
            raise refused(path, error) from error
        yield


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give an empty file to write to, for the owner's eyes only, which then takes the place of `path`."""
    part = _beside(path, ".part")
    try:
        part.unlink(missing_ok=True)
        os.close(_open(part))
        yield part
        part.replace(path)
    except OSError as error:
        raise refused(part, error) from error


def refused(path: Path, error: OSError) -> CcodError:
    """Return what to say of a file that the system does not give."""
    if error.errno in OF_THE_DISK:
        return UnavailableError(f"{path}: {error.strerror}; mend that, or {ELSEWHERE}")
    return ConfigError(f"[sqlite] path: {path}: {error.strerror}; {ELSEWHERE}")


def _header(path: Path) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        return file.read(72)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _open(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def make_folder(path: Path) -> None:
    """Make a folder and those above it, for the owner alone whatever the umask. Raises OSError."""
    if not path.exists():
        make_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
        path.chmod(0o700)
