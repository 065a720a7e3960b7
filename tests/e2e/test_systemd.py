"""The units are sound, and the daemon does what they promise: it notifies, feeds the watchdog, and takes sockets."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import httpx
import pytest
import trio

from tests.e2e.daemon import CCOD
from tests.e2e.home import Home

UNITS = Path(__file__).parents[2] / "systemd"
LIMIT = 30


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def analyse(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    command = ["systemd-analyze", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=LIMIT)


@needs("systemd-analyze")
@pytest.mark.skipif(not UNITS.is_dir(), reason="the units are checked on the source tree")
@pytest.mark.parametrize(
    ("names", "options"), [(("ccod.service", "ccod.socket"), ("--user",)), (("ccod@.service",), ())]
)
def test_units_are_valid(tmp_path: Path, names: tuple[str, ...], options: tuple[str, ...]) -> None:
    for name in names:
        text = (UNITS / name).read_text()
        for program in ("%h/.local/bin/ccod", "/usr/local/bin/ccod"):
            text = text.replace(program, "/bin/true")
        (tmp_path / name.replace("@", "@root")).write_text(text)
    done = analyse(tmp_path, "verify", *options, *(str(tmp_path / name.replace("@", "@root")) for name in names))
    assert (done.returncode, done.stderr) == (0, "")


@needs("systemd-analyze")
@pytest.mark.skipif(not UNITS.is_dir(), reason="the units are checked on the source tree")
def test_the_system_unit_is_hardly_exposed(tmp_path: Path) -> None:
    done = analyse(tmp_path, "security", "--offline=true", "--threshold=12", "--no-pager", str(UNITS / "ccod@.service"))
    assert done.returncode == 0, done.stdout.splitlines()[-1]


class Manager:
    """A service manager's notify socket, and all that came by it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self._heard: list[str] = []

    def close(self) -> None:
        self._socket.close()

    def heard(self) -> list[str]:
        with suppress(BlockingIOError):
            while True:
                self._heard += self._socket.recv(4096).decode().split("\n")
        return self._heard

    async def until(self, assignment: str, count: int = 1) -> None:
        with trio.fail_after(LIMIT):
            while sum(text.startswith(assignment) for text in self.heard()) < count:
                await trio.sleep(0.01)


@asynccontextmanager
async def run(command: list[str], environ: Mapping[str, str]) -> AsyncIterator[trio.Process]:
    process = await trio.lowlevel.open_process(command, env=environ, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    with closing(Manager(tmp_path / "notify")) as opened:
        yield opened


async def test_the_service_manager_is_told_of_each_step(tmp_path: Path, manager: Manager) -> None:
    home = Home(tmp_path)
    environ = home.environment | {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "200000"}
    async with run([str(CCOD), "serve", "--config", str(home.config)], environ) as daemon:
        await manager.until("READY=1")
        await manager.until("WATCHDOG=1", 3)
        daemon.send_signal(signal.SIGHUP)
        await manager.until("READY=1", 2)
        daemon.send_signal(signal.SIGSTOP)  # a process that hangs feeds no watchdog
        await trio.sleep(0.05)
        before = len(manager.heard())
        await trio.sleep(0.6)
        assert len(manager.heard()) == before
        daemon.send_signal(signal.SIGCONT)
        await manager.until("WATCHDOG=1", 5)
        daemon.terminate()
        with trio.fail_after(LIMIT):
            assert await daemon.wait() == 0
    steps = [text.partition("=")[0] for text in manager.heard() if not text.startswith(("WATCHDOG", "STATUS"))]
    assert steps == ["READY", "RELOADING", "MONOTONIC_USEC", "READY", "STOPPING"]
    assert "STATUS=serving" in manager.heard()


@needs("systemd-socket-activate")
async def test_sockets_of_the_service_manager_are_served(tmp_path: Path) -> None:
    unix = tmp_path / "ccod.sock"
    home = Home(tmp_path, {"http": {"port": 1, "socket": str(tmp_path / "other.sock")}})
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listen = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "-l", str(unix)]
    async with run([*listen, str(CCOD), "serve", "--config", str(home.config)], home.environment) as daemon:
        with trio.fail_after(LIMIT):
            while not unix.exists():
                await trio.sleep(0.01)
        async with httpx.AsyncClient(trust_env=False, timeout=LIMIT) as client:
            answer = await client.get(f"http://127.0.0.1:{port}/health")
        assert answer.status_code == 200
        transport = httpx.AsyncHTTPTransport(uds=str(unix))
        async with httpx.AsyncClient(transport=transport, timeout=LIMIT) as client:
            answer = await client.post("http://localhost/api/reload")
        assert answer.status_code == 200
        assert not (tmp_path / "other.sock").exists()
        daemon.terminate()
        with trio.fail_after(LIMIT):
            assert await daemon.wait() == 0
    assert unix.exists()  # it is the service manager's
