"""A server of Redis of one's own: it listens on a free port of this machine, and keeps nothing on disk."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

START_SECONDS = 20.0


def reason_to_skip() -> str | None:
    """Return what is missing for such a server."""
    if shutil.which("redis-server") is None:
        return "Redis is not installed (Debian: redis-server)"
    try:
        import redis  # noqa: F401
    except ImportError:
        return "the package redis is not installed"
    return None


class RedisServer:
    """A server that is started and killed at will, on one port; what it kept is gone then."""

    def __init__(self, folder: str, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and return once it answers. It ends with the thread that starts it, whatever becomes of that."""
        place = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self._folder]
        command = ["setpriv", "--pdeathsig", "KILL", "redis-server", *place, *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        patience = time.monotonic() + START_SECONDS
        while True:
            assert self._process.poll() is None, "redis-server ended"
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < patience
                time.sleep(0.01)
            else:
                return

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """Let it take connections and answer nothing, until it is woken or killed."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def running(*options: str) -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="ccod-redis-") as folder:
        server = RedisServer(folder, *options)
        server.start()
        try:
            yield server
        finally:
            server.kill()
