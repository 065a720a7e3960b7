"""Which SQLite it is: the library that opens files, and how. A public module, for storages on another kind of SQLite.

A plugin that has one derives from `Driver`, gives it to `SqlStorage`, and names what makes it in its distribution, as
`[project.entry-points."ccod_sql.drivers"]`, by the name that `storage = …` has for the plugin: so `ccod db` and
`ccod doctor` open the file as the daemon does, whichever is chosen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import ClassVar, cast

from ccod import ConfigError, Settings

BUILT_IN = "sqlite"
GROUP = "ccod_sql.drivers"
RESERVED_AT = 20
WAL_RESET = "WAL-reset: two processes that write at once can corrupt a database; SQLite 3.51.3 mends it"


class Driver:
    """Python's own `sqlite3`. Another library must offer what that does, under the same names."""

    name: ClassVar[str] = "SQLite"
    module: ModuleType = sqlite3
    reserved: ClassVar[int] = 0
    """How many bytes of each page are kept for what is not SQLite's, such as a checksum: so files are told apart."""
    alien: ClassVar[str] = (
        "is encrypted, or of another kind of SQLite; choose the storage that wrote it (`storage = …`)"
    )
    """What is wrong with a file that keeps another number of them, and what mends that."""

    @property
    def version(self) -> str:
        return str(self.module.sqlite_version)

    @property
    def version_info(self) -> tuple[int, int, int]:
        return cast(tuple[int, int, int], self.module.sqlite_version_info)

    @property
    def faults(self) -> tuple[str, ...]:
        """The known faults of this version that concern a database like ours."""
        version = self.version_info
        mended = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
        return () if mended or version < (3, 7) else (WAL_RESET,)

    @property
    def error(self) -> type[sqlite3.Error]:
        """What its connections raise, a class of the library. It bears `sqlite_errorcode`."""
        return cast(type[sqlite3.Error], self.module.Error)

    @property
    def damage(self) -> type[sqlite3.DatabaseError]:
        """What of that tells of the database itself."""
        return cast(type[sqlite3.DatabaseError], self.module.DatabaseError)

    def connect(self, path: Path, mode: str, timeout: float = 5.0) -> sqlite3.Connection:
        """Connect for any thread, without transactions of the library's own: it begins them only before a write.

        `mode` is "rw" or "ro"; the file exists. Nothing need be read yet.
        """
        uri = f"{path.as_uri()}?mode={mode}"
        made = self.module.connect(uri, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)
        return cast(sqlite3.Connection, made)

    def require_own(self, path: Path) -> None:
        """Raise ConfigError for a database that this driver did not write, or has no key to. None at all is fine."""
        header = b""
        if path.exists():
            with path.open("rb") as file:
                header = file.read(RESERVED_AT + 1)
        if len(header) > RESERVED_AT and header[RESERVED_AT] != self.reserved:
            raise ConfigError(f"{path}: {self.alien}")


SQLITE = Driver()


def driver_of(settings: Settings) -> Driver | None:
    """Return the driver of the storage that is chosen, None for one that keeps no SQLite file.

    Raises ConfigError where that has something to say, such as for a key that is not there.
    """
    chosen = settings.core.storage
    if chosen == BUILT_IN:
        return SQLITE
    from importlib.metadata import entry_points  # costs more than a command may that needs no other driver

    for entry in entry_points(group=GROUP, name=chosen):
        make = cast(Callable[[Settings], Driver], entry.load())
        return make(settings)
    return None
