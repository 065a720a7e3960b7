"""Scripts in transcripts: is one run by a browser that is shown what ccod makes of them?

    python -m tests.faults.scripts --payloads 200 --seed 1

Each payload stands in every field of a conversation that people can read. Its exported page is opened in Chromium, once
as it is and once by a browser that obeys no Content-Security-Policy, so that escaping alone must hold; then every route
that is read with GET. What is opened first is the payloads themselves, which must run, or nothing would be shown.
"""

from __future__ import annotations

import argparse
import html
import json
import random
import sys
import tempfile
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import trio
from msgspec import Struct, field

from ccod.testing.waiting import eventually
from tests.e2e.access import documented
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import line
from tests.faults.browser import SKIPPED, chromium
from tests.faults.chrome import Chrome, Visit, open_chrome
from tests.plugins.rest.test_rest_export import PAYLOADS

STREAM = "/api/events"
NOWHERE = f"/api/conversations/{urllib.parse.quote(PAYLOADS[0])}"
ASKING = {"/api/search": "?q=alert", "/api/streams": "?source=claude"}
"""Parameters of those that cannot do without."""
DRESSES: Sequence[Callable[[str], str]] = (
    lambda payload: f"\"'>{payload}<!--",
    lambda payload: f"</style></title></textarea></script></template></noscript>{payload}",
    html.escape,
    lambda payload: urllib.parse.quote(payload, errors="replace"),
    lambda payload: f"]]>--!>{payload}",
    lambda payload: payload.replace(" ", "/").replace("'", ""),
    lambda payload: f'```html\n{payload}\n```\n[x](javascript:alert(1))![x](x"onerror=alert(1))',
)
NO_PAGE = {f"application/{kind}" for kind in ("json", "problem+json", "x-ndjson", "octet-stream")} | {
    f"text/{kind}" for kind in ("markdown", "event-stream")
}
"""Types of which a browser makes no page that runs anything."""


class Report(Struct):
    """What was opened, what the payloads did where nothing held them, and what they should not have done."""

    payloads: int = 0
    pages: int = 0
    routes: int = 0
    ran_unheld: int = 0
    executions: int = 0
    refused: int = 0
    violations: list[str] = field(default_factory=list)

    def judge(self, name: str, visit: Visit) -> None:
        self.pages += 1
        self.executions += len(visit.ran)
        self.refused += len(visit.refused)
        for what, those in (("runs", visit.ran), ("is refused", visit.refused), ("asks for", visit.asked)):
            self.violations += [f"{name} {what} {each}"[:300] for each in those]


def dressed(count: int, seed: int) -> list[str]:
    """Return that many payloads: those of the list, then such in other dresses."""
    dice, payloads = random.Random(seed), list(PAYLOADS)
    while len(payloads) < count:
        dress = dice.choice(DRESSES)
        payload = dress(dice.choice(PAYLOADS) + dice.choice(["", "", dice.choice(PAYLOADS)]))
        payloads += [payload] if payload not in payloads else []
    return payloads if count == len(payloads) else dice.sample(payloads, count)


def said(payload: str, session: str) -> bytes:
    """Return a transcript that says a payload wherever something can be said."""
    use = {"type": "tool_use", "id": payload, "name": payload, "input": {payload: payload}}
    image = {"type": "image", "source": {"type": "base64", "media_type": payload, "data": "QUJD"}}
    thought = {"type": "thinking", "thinking": payload}
    content = [{"type": "text", "text": payload}, thought, use, image, {"type": payload, payload: payload}]
    message = {"id": payload, "role": "assistant", "model": payload, "content": content}
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": payload, "content": payload}]}
    fields = {"sessionId": session, "cwd": f"/home/{payload}", "gitBranch": payload, "version": payload}
    records: list[dict[str, Any]] = [
        {"message": {"role": "user", "content": payload}},
        {"type": "assistant", "message": message},
        {"message": result},
        {"type": "custom-title", "customTitle": payload},
        {"type": payload, "subtype": payload},
    ]
    return b"".join(json.dumps(json.loads(line("")) | fields | each).encode() + b"\n" for each in records)


async def run(folder: Path, count: int, seed: int, routes: int | None = None) -> Report:
    """Try `count` payloads, and the first `routes` addresses, or all of them."""
    payloads = dressed(count, seed)
    report = Report(payloads=len(payloads))
    sessions = {str(UUID(int=number + 1, version=4)): payload for number, payload in enumerate(payloads)}
    async with open_daemon(folder / "home", {"http": {"limits": {"window": 0}}}) as daemon:
        home = daemon.home.root / "-home-dev-demo"
        home.mkdir()
        for session, payload in sessions.items():
            (home / f"{session}.jsonl").write_bytes(said(payload, session))
        await eventually(lambda: _are_stored(daemon, count), "all conversations", 60)
        files = await exported(daemon, folder, sessions)
        async with open_chrome(folder / "unbound", policies=False) as chrome:
            await _control(chrome, folder, payloads, report)
            for file in files:
                report.judge(f"{file.name} without its policy", await chrome.visit(file.as_uri()))
        async with open_chrome(folder / "bound") as chrome:
            for file in files:
                report.judge(file.name, await chrome.visit(file.as_uri()))
            addresses = sorted(await _addresses(daemon, next(iter(sessions))))
            await _open(chrome, daemon, addresses[:routes], report)
    return report


async def _are_stored(daemon: Daemon, count: int) -> bool:
    total: int = (await daemon.get("/api/conversations"))["pagination"]["total"]
    return total == count


async def exported(daemon: Daemon, folder: Path, sessions: Sequence[str] | dict[str, str]) -> list[Path]:
    """Return the pages that the conversations are exported as."""
    files = []
    for session in sessions:
        file = folder / f"{session}.html"
        file.write_bytes(await daemon.read(f"/api/conversations/{session}/export?format=html"))
        files.append(file)
    return files


async def _control(chrome: Chrome, folder: Path, payloads: Sequence[str], report: Report) -> None:
    """Open payloads as markup: enough must run by themselves, or the browser notices nothing."""
    for payload in (tried := PAYLOADS[:5]):
        file = folder / "control.html"
        file.write_text(f"<!doctype html><p>{payload}</p>", errors="replace")
        report.ran_unheld += bool((await chrome.visit(file.as_uri(), linger=0.2)).ran)
    if report.ran_unheld < len(tried) // 2:
        report.violations.append(f"only {report.ran_unheld} of {len(tried)} payloads run where nothing holds them")


async def _open(chrome: Chrome, daemon: Daemon, addresses: Sequence[str], report: Report) -> None:
    """Open each address that can be read: what is no page of ours is no page, and says so."""
    for path in addresses:
        async with daemon.client.stream("GET", daemon.url + path) as answer:
            report.violations += [f"{path} {fault}" for fault in _faults(path, answer)]
        report.routes += 1
        if path != STREAM:
            report.judge(path, await chrome.visit(daemon.url + path))


def _faults(path: str, answer: httpx.Response) -> Iterator[str]:
    kind = answer.headers["Content-Type"].partition(";")[0]
    if answer.status_code != (HTTPStatus.NOT_FOUND if path == NOWHERE else HTTPStatus.OK):
        yield f"is {answer.status_code}"
    if kind not in NO_PAGE and path != "/docs" and "attachment" not in answer.headers.get("Content-Disposition", ""):
        yield f"is {kind}"
    if answer.headers.get("X-Content-Type-Options") != "nosniff":
        yield "may be sniffed"
    if "default-src 'none'" not in answer.headers.get("Content-Security-Policy", ""):
        yield "has no policy"


async def _addresses(daemon: Daemon, session: str) -> set[str]:
    """Return every address that is read with GET by who may read, with what there is in the place of names."""
    conversation = f"/api/conversations/{session}"
    project = (await daemon.get("/api/projects"))["data"][0]["id"]
    attachments = [each["id"] for each in (await daemon.get(f"{conversation}/attachments"))["data"]]
    paths = {route.path for route in documented() if route.method == "GET" and route.access in {"read", "public"}}
    found = {path.replace("{conversation_id}", session).replace("{project_id}", project) for path in paths}
    found = {path for path in found if "{" not in path} - set(ASKING)
    found |= {f"{conversation}/attachments/{urllib.parse.quote(str(each))}" for each in attachments}
    found |= {f"{conversation}/export?format={each}" for each in ("jsonl", "json", "md", "html")}
    return found | {path + asked for path, asked in ASKING.items()} | {NOWHERE}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.scripts", description=__doc__)
    parser.add_argument("--payloads", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    if chromium() is None:
        print("SKIPPED: chromium is not installed (apt install chromium); no payload was opened")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="ccod-scripts-", ignore_cleanup_errors=True) as folder:
        report = trio.run(run, Path(folder), arguments.payloads, arguments.seed)
    for violation in report.violations:
        print(f"VIOLATION: {violation}")
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__ if name != "violations"}))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
