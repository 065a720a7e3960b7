"""What a daemon did to the files of a folder, as strace saw it: each change with its data, in the order of the ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

STRACE = ("strace", "-f", "-D", "-I2", "-qq", "-e", "signal=none")
"""The daemon stays our child, and `end_tracing` works: without -I2 a tracer that writes to a file heeds no signal."""
LONGEST_WRITE = 16 * 2**20
KINDS = {
    "openat": "open",
    "write": "write",
    "pwrite64": "write",
    "ftruncate": "truncate",
    "fsync": "sync",
    "fdatasync": "sync",
    "rename": "rename",
    "unlink": "unlink",
}
PLACES = {"pwrite64": 3, "ftruncate": 1}
"""Which argument says where."""
LINE = re.compile(rb"^(\d+) +([\d.]+) (.*)$", re.DOTALL)
CALL = re.compile(rb"^(\w+)\((.*?)\) += (-?\d+)(.*)$", re.DOTALL)
UNFINISHED = b" <unfinished ...>"
RESUMED = re.compile(rb"^<\.\.\. \w+ resumed>")
OF_DESCRIPTOR = re.compile(rb"^\d+<([^>]*)>")


class Change(Struct, frozen=True):
    """One call that went well, begun at `at` in seconds of the clock. `path` is a name, or empty for the folder.

    `kind` is open, write, truncate, sync, rename or unlink. A write without a place goes behind the last of its file,
    and what is opened with the place 0 is emptied.
    """

    kind: str
    at: float
    path: str
    data: bytes = b""
    place: int | None = None
    to: str = ""


def can_trace() -> bool:
    strace = shutil.which("strace")
    return strace is not None and subprocess.run([strace, "-qq", "-o", os.devnull, "true"], check=False).returncode == 0


def end_tracing(pid: int) -> None:
    """Let the tracer of a process go: what it did to that ends with it."""
    status = Path(f"/proc/{pid}/status").read_text()
    os.kill(int(re.findall(r"^TracerPid:\s+(\d+)", status, re.MULTILINE)[0]), signal.SIGTERM)


def traced(output: Path) -> Sequence[str]:
    """Return what goes before a command whose calls are to be noted in `output`, in hexadecimal."""
    options = ("--seccomp-bpf", "-ttt", "-y", "-xx", "-s", str(LONGEST_WRITE))
    return (*STRACE, *options, "-e", f"trace={','.join(KINDS)}", "-o", str(output))


def changes(trace: Path, folder: Path) -> Iterator[Change]:
    """Yield what was done to the files right in `folder`."""
    for at, text in _calls(trace):
        call = CALL.match(text)
        if call and int(call[3]) >= 0 and (change := _change(call, at, folder)):
            yield change


def _calls(trace: Path) -> Iterator[tuple[float, bytes]]:
    """Yield whole calls: of one that others interrupt, its two lines are put together."""
    begun: dict[bytes, tuple[float, bytes]] = {}
    with trace.open("rb") as file:
        for line in file:
            found = LINE.match(line.rstrip(b"\n"))
            if not found:
                continue
            process, at, text = found[1], float(found[2]), found[3]
            if text.endswith(UNFINISHED):
                begun[process] = (at, text.removesuffix(UNFINISHED))
            elif resumed := RESUMED.match(text):
                at, first = begun.pop(process, (at, b""))
                yield at, first + text[resumed.end() :]
            else:
                yield at, text


def _change(call: re.Match[bytes], at: float, folder: Path) -> Change | None:
    name, arguments = call[1].decode(), call[2].split(b", ")
    kind = KINDS[name]
    if kind == "open" and b"O_CREAT" not in arguments[2]:
        return None
    described = OF_DESCRIPTOR.match(call[3] + call[4] if kind == "open" else arguments[0])
    texts = [_unquoted(each[1:-1]) for each in arguments if each.startswith(b'"')]
    path = _within(folder, _unquoted(described[1]) if described else texts[0])
    if path is None:
        return None
    place = int(arguments[PLACES[name]]) if name in PLACES else None
    if kind == "open" and b"O_TRUNC" in arguments[2]:
        place = 0
    to = _within(folder, texts[1]) if kind == "rename" else None
    return Change(kind, at, path, texts[0] if kind == "write" else b"", place, to or "")


def _within(folder: Path, path: bytes) -> str | None:
    """Return the name of what lies right in `folder`, nothing for that itself, None for all else."""
    whole = Path(os.fsdecode(path))
    if whole == folder:
        return ""
    return whole.name if whole.parent == folder else None


def _unquoted(text: bytes) -> bytes:
    return bytes.fromhex(text.replace(b"\\x", b"").decode())
