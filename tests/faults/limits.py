"""Ask a running daemon for exactly as much as it allows, and for one more: it must take the first and say why not.

    python -m tests.faults.limits

The limits are those of docs/security.md and docs/api.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trio
from msgspec import Struct, field

from tests.e2e.daemon import open_daemon
from tests.plugins.http.serving import read_all

BODY, DEPTH, KEYS, URL, HEAD, HEADERS = 1024 * 1024, 32, 1000, 8192, 16 * 1024, 100
PAGE = 10**9
OWN = (b"Host: localhost", b"Connection: close")
POST, KIND = b"POST /api/projects", b"Content-Type: application/json"
CODES = {
    **dict.fromkeys((200, 201), ""),
    **dict.fromkeys((400, 422), "VALIDATION_FAILED"),
    404: "NOT_FOUND",
    413: "PAYLOAD_TOO_LARGE",
    414: "REQUEST_URI_TOO_LONG",
    431: "REQUEST_HEADER_FIELDS_TOO_LARGE",
}


class Probe(Struct, frozen=True):
    """A request as bytes, and how it must be answered; a `code` is that of the error."""

    name: str
    request: bytes
    status: int
    code: str = ""


class Report(Struct):
    probes: int = 0
    violations: list[str] = field(default_factory=list)


def probes() -> Iterator[Probe]:
    """Yield what is at a limit, and what is one beyond it."""
    yield from _bodies()
    yield from _heads()
    yield from _pages()
    yield from _texts()


def _bodies() -> Iterator[Probe]:
    for more, status in ((0, 201), (1, 413)):
        whole = json.dumps(_project(f"body{more}")).encode().ljust(BODY + more)
        yield Probe(
            f"a body of {len(whole)} bytes",
            _head(POST, KIND, b"Content-Length: %d" % len(whole)) + whole,
            status,
            CODES[status],
        )
        whole = json.dumps(_project(f"chunks{more}")).encode().ljust(BODY + more)
        chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(whole), whole)
        yield Probe(
            f"chunks of {len(whole)} bytes",
            _head(POST, KIND, b"Transfer-Encoding: chunked") + chunk,
            status,
            CODES[status],
        )
    for depth, status in ((DEPTH, 201), (DEPTH + 1, 422)):
        settings: dict[str, Any] = {}
        for _ in range(depth - 2):
            settings = {"a": settings}
        yield _posted(f"JSON {depth} deep", _project(f"depth{depth}") | {"settings": settings}, status)
    for keys, status in ((KEYS, 201), (KEYS + 1, 422)):
        own = _project(f"keys{keys}")
        settings = {f"k{number}": number for number in range(keys - len(own) - 1)}
        yield _posted(f"JSON of {keys} keys", own | {"settings": settings}, status)


def _texts() -> Iterator[Probe]:
    for name, most in (("name", 200), ("description", 10_000)):
        for size, status in ((most, 201), (most + 1, 422)):
            yield _posted(f"a {name} of {size}", _project(f"{name}{size}") | {name: "x" * size}, status)
    for size, status in ((4096, 201), (4097, 422)):
        yield _posted(f"a path of {size}", {"name": "x", "claudePath": "/" + "x" * (size - 1)}, status)


def _heads() -> Iterator[Probe]:
    for more, status in ((0, 404), (1, 414)):
        yield Probe(f"a URL of {URL + more}", _head(b"GET /" + b"x" * (URL + more - 1)), status, CODES[status])
    for more, status in ((0, 200), (1, 431)):
        filler = [b"X%d: x" % number for number in range(HEADERS + more - len(OWN))]
        yield Probe(f"{HEADERS + more} headers", _head(b"GET /health", *filler), status, CODES[status])
    first_line = len(b"GET /health HTTP/1.1\r\n") + len(b"\r\n")
    for size, status in ((HEAD, 200), (HEAD + first_line + 1, 431)):
        room = size - len(_head(b"GET /health", b"X: "))
        yield Probe(f"a head of {size} bytes", _head(b"GET /health", b"X: " + b"x" * room), status, CODES[status])


def _pages() -> Iterator[Probe]:
    conversation = "/api/conversations/none"
    for path, most in (
        ("/api/projects", 100),
        ("/api/conversations", 100),
        ("/api/quarantine", 100),
        ("/api/usage/sessions", 1000),
    ):
        for limit, status in ((0, 400), (1, 200), (most, 200), (most + 1, 400)):
            yield _got(f"{path}?limit={limit}", status)
        for page, status in ((0, 400), (1, 200), (PAGE, 200), (PAGE + 1, 400), (2**63, 400)):
            yield _got(f"{path}?page={page}", status)
    for name, most in (("messages", 200), ("entries", 200), ("tool-calls", 200), ("tree", 50_000)):
        for limit, status in ((most, 404), (most + 1, 400)):
            yield _got(f"{conversation}/{name}?limit={limit}", status)


def _project(name: str) -> dict[str, Any]:
    return {"name": name, "claudePath": f"/home/{name}"}


def _posted(name: str, body: Mapping[str, Any], status: int) -> Probe:
    content = json.dumps(body).encode()
    return Probe(name, _head(POST, KIND, b"Content-Length: %d" % len(content)) + content, status, CODES[status])


def _got(target: str, status: int) -> Probe:
    return Probe(target, _head(f"GET {target}".encode()), status, CODES[status])


def _head(line: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join((line + b" HTTP/1.1", *OWN, *fields)) + b"\r\n\r\n"


async def run(folder: Path) -> Report:
    """Ask on the Unix socket, where the owner may write, and what only reads over TCP too."""
    report, socket = Report(), folder / "ccod.sock"
    async with open_daemon(folder, {"http": {"socket": str(socket)}}) as daemon:
        port = urlsplit(daemon.url).port or 0
        for probe in probes():
            report.violations += _faults(probe, await _ask(await trio.open_unix_socket(socket), probe))
            report.probes += 1
            if not probe.request.startswith(POST):
                report.violations += _faults(probe, await _ask(await trio.open_tcp_stream("127.0.0.1", port), probe))
                report.probes += 1
        assert await daemon.terminate() == 0
        report.violations += [said for said in daemon.stderr if '"exception"' in said]
    return report


async def _ask(stream: trio.SocketStream, probe: Probe) -> bytes:
    async with stream:
        with suppress(trio.BrokenResourceError):  # refused before it was all said; the answer may be there
            await stream.send_all(probe.request)
        return await read_all(stream)


def _faults(probe: Probe, answer: bytes) -> Iterator[str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 %d " % probe.status):
        yield f"{probe.name}: {head[:60]!r} instead of {probe.status}"
    elif probe.code and json.loads(body)["error"]["code"] != probe.code:
        yield f"{probe.name}: {body[:100]!r} instead of {probe.code}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.limits", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="not used: nothing here is left to chance")
    parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ccod-limits-") as folder:
        report = trio.run(run, Path(folder))
    for violation in report.violations:
        print(f"VIOLATION: {violation}")
    print(f"{report.probes} requests, {len(report.violations)} violations")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
