"""Opens files of SQLCipher with a key."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlcipher3 import dbapi2

from ccod import ConfigError, Settings, expanded
from ccod_sql.engine import Driver
from ccod_sql.settings import SqliteSettings
from ccod_sqlcipher.keys import kept_key, key_file, made_key, salt_of
from ccod_sqlcipher.settings import SqlcipherSettings

PLAIN_HEADER = 96
"""So many bytes at the beginning of the file stay readable: sizes, counters and the mark of ccod, by which the file is
known before any key is tried. No row begins before byte 100."""


class Sqlcipher(Driver):
    """SQLCipher 4: AES-256 in CBC mode for each page, and a HMAC-SHA512, by which a changed page is found."""

    name = "SQLCipher"
    module = dbapi2
    reserved = 80
    alien = "is not encrypted; `ccod encrypt` makes an encrypted copy of it"

    def __init__(self, key: str) -> None:
        """`key` is 64 hexadecimal digits; without one nothing can be opened."""
        self._key = key.strip()

    @property
    def secret(self) -> str:
        """The key and its salt, as a literal of SQL: nothing is derived, so that connecting costs nothing."""
        if not self._key:
            raise ConfigError(
                f"[sqlcipher] key: {key_file()} is not there; put it back, or set the key: "
                "`ccod serve` makes one for a new database alone"
            )
        return f"\"x'{self._key}{salt_of(self._key)}'\""

    def connect(self, path: Path, mode: str, timeout: float = 5.0) -> sqlite3.Connection:
        """See `Driver`."""
        secret = self.secret
        connection = super().connect(path, mode, timeout)
        try:
            for pragma in (
                "cipher_log_level = NONE",  # it would write to stderr by itself
                f"key = {secret}",
                "cipher_compatibility = 4",
                f"cipher_plaintext_header_size = {PLAIN_HEADER}",
                "temp_store = MEMORY",
            ):
                connection.execute(f"PRAGMA {pragma}")
        except dbapi2.Error:
            connection.close()
            raise
        return connection

    def require_own(self, path: Path) -> None:
        """See `Driver`. A wrong key and a first page that is damaged look the same."""
        super().require_own(path)
        if not path.exists() or not path.stat().st_size:
            return
        try:
            with closing(self.connect(path, "ro")) as connection:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        except dbapi2.DatabaseError as error:
            if error.sqlite_errorcode != dbapi2.SQLITE_NOTADB:
                return  # whoever opens it tells
            raise ConfigError(
                f"[sqlcipher] key: {path}: cannot be read with this key; set the one that it was written with, "
                "or restore a backup if it is damaged"
            ) from error


def driver_of(settings: Settings, key_of: Callable[[Path, Path], str] = kept_key) -> Sqlcipher:
    """Return what opens the database of a configuration, with its key; none is made for who only wants to look."""
    database = expanded(settings[SqliteSettings].path).absolute()
    return Sqlcipher(settings[SqlcipherSettings].key or key_of(key_file(), database))


def making_driver_of(settings: Settings) -> Sqlcipher:
    """Do as `driver_of`, and make the key of a database that is not there yet."""
    return driver_of(settings, made_key)
