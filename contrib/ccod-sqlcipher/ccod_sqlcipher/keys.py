"""The key: a configured one, or one that is made at the first start and kept away from the database."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ccod import ConfigError, expanded

REMEDY = "take the output of `openssl rand -hex 32`, and keep a copy of it in another place"
FILE = "sqlcipher.key"

_KEY = re.compile(r"[0-9a-fA-F]{64}")


def problem_of(text: str) -> str | None:
    """Return what is wrong with a key, or None. It is a key and no password: nothing makes it harder to guess."""
    key = text.strip()
    if not _KEY.fullmatch(key):
        return "is not 64 hexadecimal digits"
    return "repeats itself" if len(set(bytes.fromhex(key))) < 16 else None


def salt_of(key: str) -> str:
    """Return the salt, which SQLCipher would keep where the plain header is: no secret, but always the same."""
    return hashlib.sha256(b"ccod sqlcipher salt\0" + bytes.fromhex(key)).hexdigest()[:32]


def key_file() -> Path:
    """Return where a key is kept that nobody configured: not in the database's folder, which is what is copied."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    return expanded(home if home.startswith("/") else "~/.config") / "ccod" / FILE


def kept_key(path: Path, database: Path) -> str:
    """Return the key in the file at `path`, or "" where there is none yet, and no database.

    Raises ConfigError for a key that is gone, or that others may read.
    """
    with _explained(path):
        if path.exists():
            return read_key(path)
        if database.is_file() and database.stat().st_size:
            raise ConfigError(
                f"[sqlcipher] key: {path} is not there, and {database} cannot be read without it; put it back"
            )
    return ""


def made_key(path: Path, database: Path) -> str:
    """Return the key in the file at `path`; it is made there before the database is. Raises ConfigError as above."""
    if not kept_key(path, database):
        with _explained(path):
            _make(path)
    return kept_key(path, database)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"[sqlcipher] key: {path}: {error.strerror}; mend that, or set the key") from error


def _make(path: Path) -> None:
    """Write the file as a whole and on the disk, readable by its owner alone, or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(part)  # of two that start at once, one makes the key
    except FileExistsError:
        return
    finally:
        part.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_key(path: Path) -> str:
    """Return the key in a file. Raises OSError, or ConfigError for one that others may read, and for what is no key."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077 or status.st_uid != os.geteuid():
            raise ConfigError(f"[sqlcipher] key: {path}: others may read or change it; chown it, and chmod 600 {path}")
        text = file.read(1024).decode(errors="replace").strip()
    if problem := problem_of(text):
        raise ConfigError(f"[sqlcipher] key: {path}: {problem}; put the key back from where you keep a copy")
    return text
