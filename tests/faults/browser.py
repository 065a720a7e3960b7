"""Open pages of an attacker in a real browser, on the machine and as the user of a running daemon: what do they get?

python -m tests.faults.browser --pages 4

The pages stand on another site, on other ports of this machine, and on a name that led to the attacker when the page
was loaded and leads to the daemon ever after (DNS rebinding). It runs Debian's Chromium; without it nothing is tried,
and that is said.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import msgspec
import trio
from msgspec import Struct, field

from tests.e2e.access import documented
from tests.e2e.daemon import Daemon, free_port, open_daemon
from tests.e2e.lines import SESSION, line
from tests.faults.bait import Attacker, Got, Page, Victim, listen, port_of, serve

SKIPPED = 77
SECRET = "CANARY-7f3a91c2"
CONVERSATION = f"/api/conversations/{SESSION}"
DATA = f"{CONVERSATION}/messages"
PAUSE_MS, PATIENCE_MS = 400, 10_000
LIMIT_SECONDS = 120
EVIL = "evil.test"
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-popup-blocking"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server"),
    f"--host-resolver-rules=MAP {EVIL} 127.0.0.1",
)
WATCH = '''
"""Notes every request that is answered, and how."""

import json
import os

from quart import request

from ccod import hookimpl
from ccod_http.web import Middleware


class Watch(Middleware):
    async def after(self, response):
        named = ("Host", "Origin", "Sec-Fetch-Site", "Sec-Fetch-Dest")
        headers = [request.headers.get(name, "") for name in named]
        with open(os.environ["WATCHED"], "a") as file:
            file.write(json.dumps([request.method, request.path, *headers, response.status_code]) + "\\n")
        return response


@hookimpl
def ccod_http_middleware():
    return [Watch()]
'''

READS = {
    *("fetch", "fetch with credentials", "fetch with a header", "fetch of health", "request of old"),
    *("page without origin", "simple POST", "POST of JSON", "POST of a project", "DELETE", "PUT"),
    *("WebSocket", "WebSocket with a subprotocol", "EventSource", "EventSource with credentials"),
    *("script", "script of the document", "style", "image"),
}
"""The attacks by which a page can read what lets everybody in; a browser itself keeps it from reading by the others."""

ORDERS = {
    *("POST text/plain", "POST application/json", "POST application/x-www-form-urlencoded"),
    *("POST multipart/form-data", "PUT application/json", "DELETE"),
}
"""What the attacks make a victim do that obeys."""


class Seen(Struct, array_like=True, frozen=True):
    """A request as the daemon saw it."""

    method: str
    path: str
    host: str
    origin: str
    site: str
    destination: str
    status: int


class Report(Struct):
    """What was tried, and what should not have been."""

    tried: int = 0
    seen: list[Seen] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def expect(self, is_so: bool, otherwise: str) -> None:
        if not is_so:
            self.violations.append(otherwise)


def chromium() -> str | None:
    """Return where the browser is, or None."""
    return shutil.which("chromium")


@asynccontextmanager
async def browsing(profile: Path, *arguments: str) -> AsyncIterator[trio.Process]:
    """Run the browser with a profile of its own, and end it with all its processes."""
    command = [chromium() or "chromium", *OPTIONS, f"--user-data-dir={profile}", *arguments]
    process = await trio.lowlevel.open_process(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        with trio.CancelScope(shield=True):
            await process.wait()


async def shown(profile: Path, address: str) -> str:
    """Return what the browser shows whom it belongs to."""
    async with browsing(profile, "--dump-dom", address) as process:
        assert process.stdout is not None
        return b"".join([part async for part in process.stdout]).decode(errors="replace")


async def browse(folder: Path, count: int) -> Report:
    """Attack a daemon below `folder` from the first `count` pages."""
    report, port = Report(), free_port()
    socket = folder / "ccod.sock"
    tables = {"http": {"port": port, "socket": str(socket)}}
    async with open_daemon(folder, tables, start=False) as daemon, trio.open_nursery() as nursery:
        watched = _prepare(daemon)
        servant, snare = await listen(0), await listen(port)
        trap, victim = port_of(servant), Victim(SECRET)
        prey = await listen(0)
        pages = _pages(port, trap, port_of(prey))[:count]
        plan = {"data": DATA, "conversation": CONVERSATION, "pause": PAUSE_MS, "patience": PATIENCE_MS}
        attacker = Attacker(f"http://{EVIL}:{trap}", pages, f"http://127.0.0.1:{port}{DATA}", plan)
        await nursery.start(serve, servant, attacker.answer)
        await nursery.start(serve, prey, victim.answer)
        snaring = await nursery.start(serve, snare, attacker.answer)
        with trio.fail_after(LIMIT_SECONDS):
            async with browsing(folder / "profile", pages[0].address):
                await attacker.loaded.wait()
                snaring.cancel()  # from now on the name leads to the daemon
                await daemon.start()
                await _stored(daemon)
                before = await _state(socket)
                attacker.go.set()
                await _until(lambda: attacker.reports == len(pages) and _has_left(_read(watched)))
            report.seen = _read(watched)
            _judge_got(report, attacker.got, f"http://127.0.0.1:{port_of(prey)}")
            _judge_seen(report, port, trap)
            upgraded = [said for said in daemon.stderr if '"WEBSOCKET"' in said and '"status": 101' in said]
            report.expect(not upgraded, "a WebSocket was opened")
            report.expect(set(victim.obeyed) == ORDERS, f"the victim obeyed {sorted(set(victim.obeyed))} alone")
            report.expect(await _state(socket) == before, "something was changed")
            own = await shown(folder / "own", f"{daemon.url}{DATA}")
            report.expect(SECRET in own, "the owner's browser does not show the owner what is the owner's")
        nursery.cancel_scope.cancel()
    return report


def _prepare(daemon: Daemon) -> Path:
    """Lay out what there is to be read, and a plugin that notes who asked."""
    transcript = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
    transcript.parent.mkdir()
    transcript.write_bytes(line(f"remember {SECRET}"))
    watched = daemon.home.path / "watched"
    daemon.home.install("watch", WATCH)
    daemon.home.variables["WATCHED"] = str(watched)
    return watched


def _pages(port: int, trap: int, prey: int) -> list[Page]:
    """Return the pages: of the name that will lead to the daemon, of another site, and of other ports."""
    own = [f"http://{host}:{port}" for host in ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", EVIL)]
    return [
        Page(f"http://{EVIL}:{port}", []),
        Page(f"http://{EVIL}:{trap}", [*own, f"http://127.0.0.1:{prey}"]),
        Page(f"http://localhost:{trap}", own[:2]),
        Page(f"http://127.0.0.1:{trap}", own[:2]),
    ]


async def _stored(daemon: Daemon) -> None:
    """Wait until there is something to be read."""
    while await daemon.status(DATA) != HTTPStatus.OK:
        await trio.sleep(0.02)
    assert SECRET in json.dumps(await daemon.get(DATA))


async def _state(socket: Path) -> Mapping[str, Any]:
    """Return all that a request can change, as an administrator sees it."""
    paths = ("/api/projects", "/api/conversations", DATA, "/api/users", "/api/keys")
    async with httpx.AsyncClient(
        base_url="http://localhost", transport=httpx.AsyncHTTPTransport(uds=str(socket))
    ) as administrator:
        return {path: (await administrator.get(path)).raise_for_status().json()["data"] for path in paths}


async def _until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await trio.sleep(0.02)


def _read(watched: Path) -> list[Seen]:
    lines = watched.read_bytes().splitlines(keepends=True) if watched.exists() else []
    return [msgspec.json.decode(each, type=Seen) for each in lines if each.endswith(b"\n")]


def _judge_got(report: Report, got: Sequence[Got], prey: str) -> None:
    """Nobody got anything but of the victim, and of that by every way that there is."""
    report.tried = sum(each.target != prey for each in got)
    for each in got:
        if each.target != prey:
            report.expect(each.got != "nothing", f"{each.page} waits for {each.target} in vain by {each.name}")
            report.expect(not each.has(SECRET), f"{each.page} reads {each.target} by {each.name}: {each.got[:80]}")
        elif each.name in READS:
            report.expect(each.has(SECRET), f"the victim was not read by {each.name}: {each.got[:80]}")


def _judge_seen(report: Report, port: int, trap: int) -> None:
    """Whoever came by a page or a name of others was refused, but for what is public and no page can read."""
    public = {route.path for route in documented() if route.access == "public" and route.method == "GET"}
    for each in report.seen:
        strange = each.host.startswith(EVIL) or each.origin or each.site not in {"", "none"}
        harmless = each.site == "same-site" and not each.origin and each.method == "GET" and each.path in public
        report.expect(each.status >= 400 or not strange or harmless, f"the daemon let in {each}")
    arrived = {
        "a name that was bound anew": any(each.host == f"{EVIL}:{port}" for each in report.seen),
        "another site": any(each.origin == f"http://{EVIL}:{trap}" for each in report.seen),
        "a page without origin": any(each.origin == "null" for each in report.seen),
        "a form": any(each.destination == "iframe" and each.method == "POST" for each in report.seen),
    }
    for name, has_come in arrived.items():
        report.expect(has_come, f"{name} did not come as far as the daemon, so nothing is known of it")


def _has_left(seen: Sequence[Seen]) -> bool:
    """Tell whether the last page has sent the browser to the daemon."""
    return any(each.destination == "document" and each.path == DATA and not each.host.startswith(EVIL) for each in seen)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.browser", description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=4, choices=range(2, 5), help="how many of the pages")
    parser.add_argument("--seed", type=int, default=0, help="not used: nothing here is left to chance")
    arguments = parser.parse_args()
    if chromium() is None:
        print("SKIPPED: chromium is not installed (apt install chromium); no page attacked")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="ccod-browser-", ignore_cleanup_errors=True) as folder:
        report = trio.run(browse, Path(folder), arguments.pages)
    print(f"{report.tried} attacks, {len(report.seen)} requests that the daemon answered")
    for violation in report.violations:
        print(f"VIOLATION: {violation}")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
