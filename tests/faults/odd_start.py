"""One start of the daemon in odd surroundings, and whether what comes of it is what should."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from tests.e2e.daemon import CCOD
from tests.e2e.home import Home, Tables
from tests.e2e.lines import line

START_SECONDS = 60
STOP_SECONDS = 20


class Start(Struct):
    """How the daemon is started, and its exit code with what it `says`, or 0: it serves, and stops when it is told to.

    `before` is shell run before `exec`, `wrapped` a command in front of it; FOLDER is the folder of this start.
    """

    name: str
    code: int = 0
    says: str = ""
    tables: Tables = {}
    environment: Mapping[str, str] = {}
    arguments: str = ""
    before: str = ""
    wrapped: str = ""
    lay_out: Callable[[Home], object] = lambda _: None
    conversations: int | None = None


def database(path: str) -> Tables:
    return {"sqlite": {"path": path}}


def plugin(source: str, name: str = "odd") -> Callable[[Home], None]:
    return lambda home: home.install(name, source)


def text_file(home: Home) -> None:
    (home.path / "text").write_text("What I always wanted to say.\n" * 9)


def foreign(home: Home) -> None:
    with closing(sqlite3.connect(home.path / "other.db")) as connection:
        connection.execute("CREATE TABLE mine (x)")
        connection.commit()


def transcript(home: Home, below: str = "") -> None:
    folder = home.root / below / "-home-me"
    folder.mkdir(parents=True)
    (folder / "0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b.jsonl").write_bytes(line("hello"))


def unreadable(home: Home) -> None:
    home.config.chmod(0)


def twins(home: Home) -> None:
    home.install("odd", "")
    twin = home.plugins / "odd_twin-1.dist-info"
    twin.mkdir()
    (twin / "METADATA").write_text("Metadata-Version: 2.1\nName: odd_twin\nVersion: 1\n")
    (twin / "entry_points.txt").write_text("[ccod]\nodd = ccod_odd\n")


def a_root_that_loops(home: Home) -> None:
    transcript(home)
    (home.root / "-home-me" / "loop").symlink_to(home.root)


def missing(start: Start) -> str | None:
    """Return the program that this start needs and that is not installed."""
    program = start.wrapped.partition(" ")[0]
    return program if program and not shutil.which(program) else None


def trouble(start: Start, folder: Path) -> str | None:
    """Start the daemon; return what is not as it should be, or None."""
    said = folder / "said"
    process = _spawned(start, _laid_out(start, folder), said)
    try:
        if start.code:
            process.wait(START_SECONDS)
            return _refusal(start, process.returncode, said)
        return _served(start, process, folder / "ccod.sock") or _unsound(said)
    except subprocess.TimeoutExpired:
        return f"neither served nor ended in {START_SECONDS} s: {said.read_text()[-500:]}"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _laid_out(start: Start, folder: Path) -> Home:
    tables = _placed({**start.tables}, folder)
    tables["http"] = {"port": 0, "socket": str(folder / "ccod.sock"), **tables.get("http", {})}
    home = Home(folder, tables)
    start.lay_out(home)
    return home


def _placed(value: Any, folder: Path) -> Any:
    """Put the folder in the place of FOLDER."""
    match value:
        case str():
            return value.replace("FOLDER", str(folder))
        case list():
            return [_placed(each, folder) for each in value]
        case dict():
            return {key: _placed(each, folder) for key, each in value.items()}
    return value


def _spawned(start: Start, home: Home, said: Path) -> subprocess.Popen[bytes]:
    words = [start.wrapped, str(CCOD), "serve", "--config", str(home.config), start.arguments]
    script = f"{start.before or ':'}\nexec {' '.join(filter(None, words))}"
    environment = home.environment | dict(start.environment)
    with said.open("wb") as log:
        return subprocess.Popen(
            ["/bin/sh", "-c", script], cwd=home.path, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


def _served(start: Start, process: subprocess.Popen[bytes], door: Path) -> str | None:
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(base_url="http://localhost", transport=httpx.HTTPTransport(uds=str(door))) as client:
        while not (_listens(door) and _found(client, start.conversations)):
            if process.poll() is not None:
                return f"ended with {process.returncode}: {(door.parent / 'said').read_text()[-500:]}"
            if time.monotonic() > deadline:
                return "is not ready, or did not find the conversations"
            time.sleep(0.05)
    os.kill(_daemon(process.pid), signal.SIGTERM)
    code = process.wait(STOP_SECONDS)
    return None if code == 0 else f"stopped with {code}"


def _daemon(pid: int) -> int:
    """Return the process that serves: this one, or the child for which it waits."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else pid


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _found(client: httpx.Client, wanted: int | None) -> bool:
    try:
        if client.get("/health/ready").status_code != 200:
            return False
        total: int = client.get("/api/conversations").json()["pagination"]["total"]
        return wanted is None or total == wanted
    except (httpx.TransportError, ValueError, KeyError):
        return False


def _refusal(start: Start, code: int, said: Path) -> str | None:
    text = said.read_text(errors="replace")
    last = text.splitlines()[-1] if text else ""
    if code != start.code:
        return f"exit {code} instead of {start.code}: {text[-500:]}"
    return _unsound(said) or (None if re.search(start.says, last) else f"says otherwise: {text[-500:]}")


def _unsound(said: Path) -> str | None:
    text = said.read_text(errors="replace")
    return f"a traceback: {text[-2000:]}" if "Traceback" in text else None
