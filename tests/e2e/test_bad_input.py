"""No file stops another: whatever lies below the root, the rest of it is read, and the content never logged."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import line

SECRET = "hunter2-must-not-be-logged"


def session(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def prompt(name: str, text: str) -> bytes:
    return line(text, session=session(name))


def hostile_lines() -> dict[str, tuple[bytes, list[str]]]:
    """What stands between two good lines, and which messages it still gives."""

    def hostile(name: str, text: str = SECRET) -> bytes:
        return prompt(name, text).removesuffix(b"\n")

    nested = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    return {
        "not-json": (SECRET.encode(), []),
        "not-an-object": (json.dumps([SECRET]).encode(), []),
        "cut-short": (hostile("cut-short")[:-40], []),
        "deeply-nested": (nested, []),
        "long-line": (b'{"type":"user","x":"' + b"x" * (64 << 20) + b'"}', []),
        "glued": (hostile("glued", "one") + hostile("glued", "two"), ["one", "two"]),
        "nul-bytes": (b"\0" * 700 + hostile("nul-bytes", "behind"), ["behind"]),
        "invalid-utf8": (hostile("invalid-utf8", "broken").replace(b"broken", b"bro\xc3\x28ken"), ["bro\ufffd(ken"]),
        "surrogate": (hostile("surrogate", "half").replace(b"half", b"half \\ud83d"), ["half \ufffd"]),
        "huge-integer": (hostile("huge-integer", "big")[:-1] + b',"n":' + b"9" * 5000 + b"}", ["big"]),
        "blank": (b"  ", []),
        "carriage-return": (hostile("carriage-return", "windows") + b"\r", ["windows"]),
        "line-separator": (hostile("line-separator", "one\u2028line\x85"), ["one\u2028line\x85"]),
    }


def lay_out(root: Path, outside: Path) -> dict[str, list[str]]:
    """Fill `root` with good and bad files; return the messages that each conversation must have."""
    folder = root / "-home-dev-demo"
    folder.mkdir(parents=True)
    expected: dict[str, list[str]] = {}
    for name, (hostile, texts) in hostile_lines().items():
        body = prompt(name, "before") + hostile + b"\n" + prompt(name, "after")
        (folder / f"{session(name)}.jsonl").write_bytes(body)
        expected[name] = ["before", *texts, "after"]
    os.mkfifo(folder / f"{session('fifo')}.jsonl")
    (folder / f"{session('folder')}.jsonl").mkdir()
    (folder / f"{session('empty')}.jsonl").touch()
    (folder / f"{session('dangling')}.jsonl").symlink_to(folder / "nowhere")
    unreadable = folder / f"{session('unreadable')}.jsonl"
    unreadable.write_bytes(prompt("unreadable", "closed"))
    unreadable.chmod(0)
    outside.write_bytes(prompt("outside", SECRET))
    (folder / f"{session('outside')}.jsonl").symlink_to(outside)
    (folder / os.fsdecode(b"odd\xff\n name.jsonl")).write_bytes(prompt("odd", "oddly named"))
    expected["odd"] = ["oddly named"]
    return expected


async def test_every_good_line_is_stored_whatever_stands_around_it(tmp_path: Path) -> None:
    late = tmp_path / "late" / "projects"
    expected = lay_out(tmp_path / "projects", tmp_path / "outside.jsonl")
    roots = [str(tmp_path / "projects"), str(late)]
    async with open_daemon(tmp_path, {"claude": {"roots": roots, "scan_interval": 0.2}}) as daemon:
        for name, texts in expected.items():
            assert await texts_of(daemon, name, len(texts)) == sorted(texts), name
        (late / "-home-dev-late").mkdir(parents=True)
        (late / "-home-dev-late" / f"{session('late')}.jsonl").write_bytes(prompt("late", "better late"))
        assert await texts_of(daemon, "late", 1) == ["better late"]

        found = {conversation["id"] for conversation in await daemon.items("/api/conversations")}
        assert found - {session(name) for name in [*expected, "late", "unreadable"]} == set()
        check_log(daemon)


async def texts_of(daemon: Daemon, name: str, count: int) -> list[str]:
    async def found() -> list[dict[str, Any]] | None:
        ids = {conversation["id"] for conversation in await daemon.items("/api/conversations")}
        if session(name) not in ids:
            return None
        items = await daemon.items(f"/api/conversations/{session(name)}/messages")
        return items if len(items) >= count else None

    return sorted(str(item["content"]) for item in await eventually(found, f"{count} messages of {name}"))


def check_log(daemon: Daemon) -> None:
    """Each file with unreadable bytes is named once, with the place and never with what stands there."""
    log = "\n".join(daemon.stderr)
    assert SECRET not in log
    assert "Traceback" not in log
    told = [fields for fields in map(json.loads, daemon.stderr) if fields["event"] == "unreadable record"]
    names = sorted(fields["file"].rpartition("/")[2].removesuffix(".jsonl") for fields in told)
    spoilt = ("not-json", "not-an-object", "cut-short", "deeply-nested", "long-line", "nul-bytes")
    assert names == sorted(map(session, spoilt))
    assert all(fields["offset"] > 0 for fields in told)
