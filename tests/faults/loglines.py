"""Say what would forge or hide a line of a log wherever the daemon may log it: is each line one JSON object?

    python -m tests.faults.loglines

CR, LF, ESC, U+2028 and the marks that turn text round stand in names of folders and files, session ids, lines that are
no JSON, versions, the path of a request, its headers, and the address of a login, all at the level `debug`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote, urlsplit

import trio
from msgspec import Struct, field

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.home import Tables
from tests.e2e.lines import SESSION, line
from tests.faults.requests import is_whole
from tests.plugins.http.serving import read_all

FORGED = '{"event": "forged", "level": "info"}'
HOSTILE = (
    *(f"a{end}{FORGED}{end}b" for end in ("\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029")),
    *("\x1b[2J\x1b]0;x\x07", "\x9b31m", "\u202eevil\u2066", "\ud800", '","event":"forged","x":"', "\\n" + FORGED),
)


class Report(Struct):
    said: int = 0
    lines: int = 0
    warnings: int = 0
    violations: list[str] = field(default_factory=list)


async def run(folder: Path) -> Report:
    report = Report()
    tables: Tables = {"log": {"level": "debug"}, "http": {"host": "127.0.0.1", "limits": {"window": 0}}}
    async with open_daemon(folder, tables) as daemon:
        for number, text in enumerate(HOSTILE):
            _write(daemon, number, text)
        _write(daemon, len(HOSTILE), "the end")
        await eventually(lambda: _is_stored(daemon), "the last conversation", 60)
        for text in HOSTILE:
            await _request(daemon, text)
            report.said += 1
        assert (await daemon.get("/health"))["data"]["status"] != "unhealthy"
        assert await daemon.terminate() == 0
        text = daemon.home.log.read_text(errors="surrogateescape")
        report.lines = text.count("\n")
        report.violations += [each[:200] for each in text.splitlines() if not is_whole(each)]
        report.violations += ["a line was forged"] if '"event": "forged"' in text else []
        report.warnings = text.count('"level": "warning"')
    return report


def _write(daemon: Daemon, number: int, text: str) -> None:
    """Write a transcript that says it in all places, and cannot be understood where it is no JSON."""
    said = text.encode("utf-8", "replace").decode()
    session, name = f"{number:08x}{SESSION[8:]}", said.replace("/", "_") + "\udcff"  # no UTF-8
    folder = daemon.home.root / name
    folder.mkdir()
    lines = line(said, session=session, cwd=f"/{said}", version=said, gitBranch=said)
    odd = line(said, session=said, type=said, uuid=said, timestamp=said)
    for file in (f"{session}.jsonl", f"{name}.jsonl"):
        (folder / file).write_bytes(lines + odd + said.encode() + b"\n{" + os.fsencode(name) + b"\n")


async def _is_stored(daemon: Daemon) -> bool:
    path = f"/api/conversations/{len(HOSTILE):08x}{SESSION[8:]}"
    return await daemon.status(path) == HTTPStatus.OK


async def _request(daemon: Daemon, text: str) -> None:
    """Ask for a path, with headers, and log in with an address, that say it."""
    port, raw = urlsplit(daemon.url).port or 0, text.encode("utf-8", "replace")
    head = b"Host: localhost\r\nUser-Agent: %b\r\nX-Request-ID: %b\r\nConnection: close\r\n\r\n" % (raw, raw)
    path = quote(raw).encode()
    for request in (b"GET /%b?q=%b HTTP/1.1\r\n" % (path, path), b"GET /api/conversations/%b HTTP/1.1\r\n" % path):
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(request + head)
            await read_all(stream)
    said = text.encode("utf-8", "replace").decode()
    await daemon.client.post(f"{daemon.url}/auth/login", json={"email": f"{said}@example.com", "password": said})


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.loglines", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="not used: nothing here is left to chance")
    parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ccod-loglines-") as folder:
        report = trio.run(run, Path(folder))
    for violation in report.violations:
        print(f"VIOLATION: {violation}")
    counts = f"{len(HOSTILE)} texts, {report.lines} lines of log, {report.warnings} warnings"
    print(f"{counts}, {len(report.violations)} violations")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
