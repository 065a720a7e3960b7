"""The keys that sign tokens: configured ones that are strong enough, or one that is made beside the database."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ccod import ConfigError
from ccod_jwt.settings import JwtSettings
from ccod_jwt.strength import weakness

FILE = "jwt.key"


def signing_keys(settings: JwtSettings, folder: Path) -> Mapping[str, bytes]:
    """Return the keys by their ids, that which signs first. Raises ConfigError for one that is too weak."""
    texts = [settings.secret or made_key(folder / FILE), settings.previous_secret]
    keys = [text.encode(errors="surrogateescape") for text in texts if text]
    return {key_id(key): key for key in keys}


def key_id(key: bytes) -> str:
    """Return the name of a key, which tells nothing of it."""
    return hashlib.sha256(b"ccod key id\0" + key).hexdigest()[:8]


def made_key(path: Path) -> str:
    """Return the key in the file at `path`; 256 bits are drawn and kept there if it does not exist."""
    try:
        if not path.exists():
            _make(path)
        return _read(path)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; mend that, or set [jwt] secret") from error


def _make(path: Path) -> None:
    """Write the file as a whole or not at all, readable by its owner alone whatever the umask."""
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> str:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077 or status.st_uid != os.getuid():
            raise ConfigError(f"{path}: others may read or change it; remove it and everyone logs in again")
        text = file.read(1024).decode(errors="replace").strip()
    if weakness(text):
        raise ConfigError(f"{path}: holds no key; remove it, ccod makes another and everyone logs in again")
    return text
