"""Run the daemon and its commands from start to stop under each umask: whose are the files, and which were touched?

    python -m tests.faults.ownership

All that ccod makes is its owner's alone. Below the folder of transcripts nothing is written, made, renamed, removed or
given another mode: strace lists every call that could.
"""

# ruff: noqa: ASYNC240 - what a test does to small local files takes no time

from __future__ import annotations

import argparse
import json
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import trio
from msgspec import Struct, field

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import SESSION, answer, line
from tests.e2e.test_accounts import PASSWORD, ccod
from tests.faults.syscalls import SKIPPED
from tests.faults.tracing import can_trace

UMASKS = (0o000, 0o022, 0o077)
OTHERS = 0o077
OPENS = ("open", "openat", "openat2", "creat")
CHANGES = (
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate", "fallocate", "copy_file_range", "sendfile"),
    *("unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "truncate"),
    *("chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "mkdir", "mkdirat", "rmdir", "mknod"),
    *("mknodat", "utime", "utimes", "utimensat", "futimesat", "setxattr", "lsetxattr", "fsetxattr", "removexattr"),
    *("lremovexattr", "fremovexattr", "bind"),
)
STRACE = ["strace", "-f", "--seccomp-bpf", "-D", "-qq", "-y", "-s", "0", "-e", "signal=none", "-e"]
STRACE.append("trace=" + ",".join(f"?{name}" for name in (*OPENS, *CHANGES)))
WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE")


class Report(Struct):
    """How many files were made and how many calls looked at, and what was not the owner's or not to be touched."""

    umasks: int = 0
    files: int = 0
    calls: int = 0
    reads: int = 0
    violations: list[str] = field(default_factory=list)


async def run(folder: Path, umasks: Sequence[int] = UMASKS) -> Report:
    report = Report()
    for umask in umasks:
        with _umask(umask):
            await _live(folder / f"{umask:03o}", umask, report)
        report.umasks += 1
    return report


@contextmanager
def _umask(umask: int) -> Iterator[None]:
    before = os.umask(umask)
    try:
        yield
    finally:
        os.umask(before)


async def _live(folder: Path, umask: int, report: Report) -> None:
    """Start, read, be asked, back up and stop."""
    trace, socket = folder / "trace", folder / "run" / "ccod.sock"
    async with open_daemon(
        folder, {"http": {"socket": str(socket)}, "jwt": {"bcrypt_rounds": 4}}, start=False
    ) as daemon:
        transcript = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
        transcript.parent.mkdir()
        transcript.write_bytes(line("first") + answer("ls", tool="Bash"))
        own = set(folder.rglob("*"))
        await daemon.start([*STRACE, "-o", str(trace)])
        await eventually(lambda: _has(daemon, 2), "both lines")
        with transcript.open("ab") as file:
            file.write(line("third"))
        await eventually(lambda: _has(daemon, 3), "the third line")
        for path in ("conversations", "projects", "search?q=first", f"conversations/{SESSION}/export?format=html"):
            await daemon.read(f"/api/{path}")
        await _command(daemon, "user", "add", "me@example.com", said=PASSWORD)
        await _command(daemon, "db", "backup", str(folder / "copy.db"))
        await _command(daemon, "export", SESSION, "--format", "html", "--output", str(folder / "page.html"))
        transcript.rename(transcript.with_suffix(".gone"))
        assert await daemon.terminate() == 0, daemon.report()
        home = {folder / "trace", daemon.home.log, transcript.with_suffix(".gone")}
        _judge_files(folder, own | home, umask, report)
        _judge_calls(trace.read_text(errors="replace"), daemon.home.root, report)


async def _has(daemon: Daemon, count: int) -> bool:
    found = (await daemon.get("/api/conversations"))["data"]
    return bool(found) and found[0]["messageCount"] >= count


async def _command(daemon: Daemon, *arguments: str, said: str = "") -> None:
    code, _, told = await ccod(daemon, *arguments, said=said)
    assert code == 0, (arguments, told)


def _judge_files(folder: Path, own: set[Path], umask: int, report: Report) -> None:
    """Look at all that was not `own`, which the test made itself."""
    for path in set(folder.rglob("*")) - own:
        mode = path.lstat().st_mode
        report.files += 1
        if mode & OTHERS:
            name = path.relative_to(folder)
            report.violations.append(f"umask {umask:03o}: {name} is {stat.filemode(mode)}")


def _judge_calls(trace: str, root: Path, report: Report) -> None:
    """Look at every call that names something at or below the root, by a path or by an open file."""
    for call in trace.splitlines():
        if (found := re.match(r"\d+ +(\w+)\((.*)", call)) is None:
            continue
        report.calls += 1
        name, arguments = found.groups()
        if not re.search(rf'[<"]{re.escape(str(root))}[/>"]', arguments):
            continue
        report.reads += 1
        if name in CHANGES or (name in OPENS and WRITING.search(arguments)):
            report.violations.append(call[:300])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.ownership", description=__doc__)
    parser.add_argument("--umasks", type=int, default=len(UMASKS), help="how many of them")
    parser.add_argument("--seed", type=int, default=0, help="not used: nothing here is left to chance")
    arguments = parser.parse_args()
    if not can_trace():
        print("SKIPPED: strace is not there, or this user may not trace; no file was looked at")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="ccod-ownership-") as folder:
        report = trio.run(run, Path(folder), UMASKS[: arguments.umasks])
    for violation in report.violations:
        print(f"VIOLATION: {violation}")
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__ if name != "violations"}))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
