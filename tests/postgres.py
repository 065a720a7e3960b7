"""A server of PostgreSQL of one's own: it listens on a socket in a folder of its own, and nowhere else."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

FASTER = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB", "max_connections": "100"}
START_SECONDS = 60.0


def program(name: str) -> str | None:
    """Return where a program of PostgreSQL's is: Debian has most in a folder of their version."""
    places = [*sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)]
    return shutil.which(name) or next(filter(None, (shutil.which(name, path=place) for place in places)), None)


def reason_to_skip() -> str | None:
    """Return what is missing for such a server."""
    if program("initdb") is None or program("postgres") is None:
        return "PostgreSQL is not installed (Debian: postgresql)"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed"
    return None


def url_of(folder: Path, database: str = "postgres") -> str:
    """Return the URL of a database on the server whose socket is in `folder`."""
    return f"postgresql://ccod@/{database}?host={folder}"


def database_of(folder: Path, home: Path) -> str:
    """Return the URL of the database that belongs to the folder `home`; it is made when it is first asked for."""
    import psycopg

    name = f"home_{hashlib.sha256(str(home).encode()).hexdigest()[:16]}"
    with psycopg.connect(url_of(folder), autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            connection.execute(f"CREATE DATABASE {name}")
    return url_of(folder, name)


class Server:
    """A running server. `settings` are its own, beside those that make it fast and forgetful."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        self._settings = {**FASTER, **settings}
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        return url_of(self.folder, database)

    def make(self) -> None:
        initdb = [str(program("initdb")), "-D", str(self.folder / "data"), "-U", "ccod", "-A", "trust", "--no-sync"]
        # An order of texts that is not that of their characters, as a server may well have it.
        localed = ["-E", "UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en"]
        subprocess.run(self._as_user([*initdb, *localed]), check=True, capture_output=True, cwd=self.folder)

    def start(self) -> None:
        """Start it, and return once it answers."""
        settings = [f"-c{name}={value}" for name, value in self._settings.items()]
        place = ["-D", str(self.folder / "data"), "-k", str(self.folder), "-c", "listen_addresses="]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._as_user([str(program("postgres")), *place, *settings]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        self.wait()

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop it: at once with SIGQUIT, as a crash would; in order with SIGINT."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def kill(self) -> None:
        """Kill it, and wait until its processes have noticed and ended: it could not be started before."""
        (server, *others) = self.processes
        os.kill(server, signal.SIGKILL)
        assert self._process is not None
        self._process.wait(60)
        self._process = None
        patience = time.monotonic() + START_SECONDS
        while any(map(_runs, others)):
            assert time.monotonic() < patience, "processes of PostgreSQL outlive it"
            time.sleep(0.01)

    @property
    def processes(self) -> list[int]:
        """The ids of its processes: that which was started, and those that this one has started."""
        assert self._process is not None
        pid = self._process.pid
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def fresh(self) -> str:
        """Return the name of a new database, with nothing in it."""
        name = f"fresh_{os.getpid()}_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return name

    def empty(self, database: str) -> None:
        """Remove all rows, and number new ones from 1 again; what version the tables are stays.

        For a few rows that is much faster than TRUNCATE. Where rows lead is looked at when all are gone.
        """
        found = self.run(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename = 'meta'", database
        )
        gone = [f"DELETE FROM {name}" for (name,) in found if name != "alembic_version"]
        again = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
        self.run("; ".join([*gone, again]), database)

    def run(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def wait(self) -> None:
        """Wait until it answers."""
        import psycopg

        patience = time.monotonic() + START_SECONDS
        while True:
            assert self._process is not None
            assert self._process.poll() is None, (self.folder / "server.log").read_text()
            try:
                psycopg.connect(self.url()).close()
            except psycopg.OperationalError:
                assert time.monotonic() < patience, (self.folder / "server.log").read_text()
                time.sleep(0.05)
            else:
                return

    def _as_user(self, command: Sequence[str]) -> list[str]:
        """PostgreSQL does not run as root. The server ends with the thread that starts it, whatever becomes of that."""
        ending = ["setpriv", "--pdeathsig", "QUIT"]
        if os.geteuid() != 0:
            return [*ending, *command]
        return [*ending, f"--reuid={self._user.pw_uid}", f"--regid={self._user.pw_gid}", "--clear-groups", *command]

    @property
    def _user(self) -> pwd.struct_passwd:
        try:
            return pwd.getpwnam("postgres")
        except KeyError:
            return pwd.getpwnam("nobody")

    def give_folder(self) -> None:
        if os.geteuid() == 0:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)


def _runs(pid: int) -> bool:
    """Tell whether there is such a process, and not only what is left of it for who started it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def running(**settings: str) -> Iterator[Server]:
    """Run a new server. Its folder is not below pytest's, which no other user may enter."""
    with tempfile.TemporaryDirectory(prefix="ccod-pg-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), settings)
        server.give_folder()
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
