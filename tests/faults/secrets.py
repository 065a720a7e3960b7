"""Sixty kinds of secrets in transcripts, in each disguise: which of them does a running daemon tell by whatever way?

    python -m tests.faults.secrets --draws 1 --seed 1

They are said as text, as a tool's result, in JSON within JSON, in many lines and as base64, between a thousand lines
that hold none. Answers, exports, the WebSocket, metrics and the log are searched for the random part of each.
Base64 is not promised to be known: what of it is found is counted, and no violation.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import trio
from msgspec import Struct, field

from ccod import Redactor
from ccod.testing.waiting import eventually
from ccod_redact.rules import RULES
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import line
from tests.plugins.redact.canaries import benign, canaries
from tests.plugins.redact.test_redact_rules import core, in_json, in_json_twice, in_many_lines, shell

PRECISION = 0.95
FORMATS = ("jsonl", "json", "md", "html")
MASKED = ("messages", "entries", "the search", "the WebSocket", *(f"export as {form}" for form in FORMATS))
"""By these ways masks must be seen, or nothing was told at all."""
TURN_SECONDS = 120


def as_base64(secret: str) -> str:
    return base64.b64encode(f"the value: {secret}".encode()).decode()


DISGUISES: Mapping[str, Callable[[str], str]] = {
    "text": str,
    "command": shell,
    "JSON": in_json,
    "JSON in JSON": in_json_twice,
    "many lines": in_many_lines,
    "base64": as_base64,
}
UNPROMISED = {"base64"}


class Report(Struct):
    """How many secrets were said and told again, by disguise and way; and how many harmless lines were changed."""

    said: int = 0
    told: Counter[str] = field(default_factory=Counter)
    ways: int = 0
    silent: list[str] = field(default_factory=list)
    bytes: int = 0
    unpromised: int = 0
    benign: int = 0
    changed: int = 0
    micros_per_kb: float = 0.0
    micros_per_kb_benign: float = 0.0

    @property
    def recall(self) -> float:
        return 1 - self.told.total() / max(1, self.said)

    @property
    def precision(self) -> float:
        masked = self.said - self.told.total()
        return masked / max(1, masked + self.changed)


async def run(folder: Path, draws: int, lines: int, seed: int) -> Report:
    report = Report()
    said = [
        (f"{kind}, {name}", disguise(secret), core(secret) if name not in UNPROMISED else disguise(secret), name)
        for draw in range(draws)
        for kind, secret in canaries(seed + draw).items()
        for name, disguise in DISGUISES.items()
    ]
    harmless = benign(lines, seed)
    async with open_daemon(folder, {"http": {"limits": {"window": 0}}, "log": {"level": "debug"}}) as daemon:
        async with daemon.websocket("conversations", "files") as listener, trio.open_nursery() as nursery:
            heard: list[str] = []
            nursery.start_soon(_hear, listener.connection, heard)
            sessions = _write(daemon, said, harmless, seed)
            await eventually(lambda: _is_stored(daemon, sessions), "all that was said", TURN_SECONDS)
            told = await _ask(daemon, sessions)
            nursery.cancel_scope.cancel()
        assert await daemon.terminate() == 0
        told |= {"the WebSocket": "".join(heard), "the log": "\n".join(daemon.stderr)}
    _judge(told, said, harmless, report)
    _time(said, harmless, report)
    return report


async def _hear(connection: Any, heard: list[str]) -> None:
    while True:
        heard.append(str(await connection.get_message()))
        if heard[-1].startswith('{"type":"ping"'):
            await connection.send_message('{"type":"pong"}')


def _write(daemon: Daemon, said: list[tuple[str, str, str, str]], harmless: list[str], seed: int) -> dict[str, int]:
    """Write a conversation for each hundred secrets, with harmless lines between; return how many messages each has."""
    dice, sessions = random.Random(seed), {}
    root = daemon.home.root / "-home-dev-demo"
    root.mkdir()
    harmless = list(harmless)
    for start in range(0, len(said), 100):
        session = str(UUID(int=dice.getrandbits(128), version=4))
        records = []
        for number, (_, text, _, _) in enumerate(said[start : start + 100]):
            result = [{"type": "tool_result", "tool_use_id": f"t{number}", "content": text}]
            records.append(line(text, session=session))
            records.append(line("", session=session, message={"role": "user", "content": result}))
        records += [line(text, session=session) for text in harmless[start * 2 : start * 2 + 200]]
        dice.shuffle(records)
        (root / f"{session}.jsonl").write_bytes(b"".join(records))
        sessions[session] = len(records)
    return sessions


async def _is_stored(daemon: Daemon, sessions: Mapping[str, int]) -> bool:
    """Tell whether all that was said is stored, and found by search."""
    found = {each["id"]: each["messageCount"] for each in await daemon.items("/api/conversations")}
    return found == sessions and (await daemon.get("/api/search?q=value"))["data"]["indexed"] == 1


async def _ask(daemon: Daemon, sessions: Mapping[str, int]) -> dict[str, str]:
    """Return all that is told of the conversations, by the way it is told."""
    told: dict[str, str] = {"the list": json.dumps(await daemon.items("/api/conversations"))}
    for name in ("messages", "entries"):
        pages = [json.dumps(await daemon.items(f"/api/conversations/{session}/{name}")) for session in sessions]
        told[name] = "".join(pages)
    for form in FORMATS:
        files = [await daemon.read(f"/api/conversations/{session}/export?format={form}") for session in sessions]
        told[f"export as {form}"] = b"".join(files).decode()
    metrics = str((await daemon.logged("listening too"))["url"])
    told["the metrics"] = (await daemon.client.get(f"{metrics}/metrics")).raise_for_status().text
    found = [json.dumps(await daemon.get(f"/api/search?q={word}&limit=100")) for word in ("value", "name", "deploy")]
    told["the search"] = "".join(found)
    return told


def _judge(told: Mapping[str, str], said: list[tuple[str, str, str, str]], harmless: list[str], report: Report) -> None:
    report.ways = len(told)
    report.silent = [way for way in MASKED if "redacted:" not in told[way]]
    for way, text in told.items():
        report.bytes += len(text)
        plain = text.replace("\\", "")
        for name, _, hidden, disguise in said:
            is_told = hidden.replace("\\", "") in plain
            if disguise in UNPROMISED:
                report.unpromised += is_told
            elif is_told:
                report.told[f"{name} by {way}"] += 1
    report.said = sum(disguise not in UNPROMISED for *_, disguise in said)
    shown = json.loads("[" + told["messages"].replace("][", "],[") + "]")
    contents = Counter(message["content"] for page in shown for message in page)
    report.benign = len(harmless)
    report.changed = (Counter(harmless) - contents).total()


def _time(said: list[tuple[str, str, str, str]], harmless: list[str], report: Report) -> None:
    """Measure what masking costs, of lines that hold secrets and of those that hold none."""
    redactor = Redactor(RULES)
    for name, texts in (("micros_per_kb", [text for _, text, _, _ in said]), ("micros_per_kb_benign", harmless)):
        begin = time.process_time()
        for text in texts:
            redactor.mask(text)
        spent = time.process_time() - begin
        setattr(report, name, round(1e6 * spent / (sum(map(len, texts)) / 1024), 1))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.secrets", description=__doc__)
    parser.add_argument("--draws", type=int, default=1, help="how many secrets of each kind")
    parser.add_argument("--benign", type=int, default=1000, help="lines that hold no secret")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ccod-secrets-") as folder:
        report = trio.run(run, Path(folder), arguments.draws, arguments.benign, arguments.seed)
    for name, count in report.told.items():
        print(f"VIOLATION: told {count} times: {name}")
    counts = {name: getattr(report, name) for name in report.__struct_fields__ if name != "told"}
    rates = {"recall": round(report.recall, 4), "precision": round(report.precision, 4)}
    print(json.dumps(counts | rates | {"told": report.told.total()}))
    return 1 if report.told or report.silent or report.precision < PRECISION else 0


if __name__ == "__main__":
    sys.exit(main())
