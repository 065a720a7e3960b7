"""Reads the small files of the configuration: never waits for one, never reads without end, knows who else may."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ccod.errors import ConfigError

LONGEST = 1024 * 1024


def read_small(path: Path, most: int = LONGEST) -> tuple[bytes, os.stat_result]:
    """Return what a file holds, and its state. Raises OSError, or ConfigError for what is no file or too long."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) and str(path) != os.devnull:
            raise ConfigError(f"{path}: is no regular file; name one")
        content = b""
        while len(content) <= most and (part := os.read(descriptor, most + 1 - len(content))):
            content += part
    finally:
        os.close(descriptor)
    if len(content) > most:
        raise ConfigError(f"{path}: is longer than {most} bytes; name another file")
    return content, status


def require_private(path: Path, status: os.stat_result) -> None:
    """Raise ConfigError where others may read a file that holds a secret, or the file is another's.

    A group may read what root owns: so a service's user reads a file of /etc.
    """
    if status.st_uid not in {0, os.geteuid()}:
        raise ConfigError(f"{path}: holds a secret and belongs to another user; chown it, or move the secret")
    allowed = 0o640 if status.st_uid == 0 else 0o600
    if stat.S_IMODE(status.st_mode) & 0o077 & ~allowed:
        raise ConfigError(f"{path}: holds a secret that other users may read; chmod {allowed:o} {path}")


def make_private_folder(path: Path) -> None:
    """Make a folder, and those above it that are absent, for their owner alone whatever the umask. Raises OSError."""
    if not path.is_dir():
        make_private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 in one step; its folder is made when absent. Raises OSError."""
    make_private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
