"""Runs the commands of docs/first-five-minutes.md in a new home, and compares what they say.

python -m tests.e2e.first_five_minutes dist/ccod-*.whl [--show]

A line of output in which `…` stands matches anything in its place; a line that is only `…` matches any lines, or none.
`--show` prints what each command said instead, to write the page anew.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "first-five-minutes.md"
NEWER = "99.0"
LIMIT_SECONDS = 300
SESSION = "0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b"
FINISHED = "--- finished"


def steps(page: str) -> list[tuple[str, list[str]]]:
    """Return each command with the lines that it must print."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def matches(wanted: list[str], said: list[str]) -> bool:
    pattern = "".join(r"(?:.*\n)*?" if line == "…" else _line(line) + r"\n" for line in wanted)
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in said)) is not None


def _line(line: str) -> str:
    return ".*".join(map(re.escape, line.split("…")))


def history(home: Path) -> None:
    """Write a small session, as Claude Code does while ccod runs."""
    folder = home / ".claude" / "projects" / "-home-ada-garden"
    folder.mkdir()
    same = {"sessionId": SESSION, "cwd": "/home/ada/garden", "version": "2.1.173", "isSidechain": False}
    usage = {"input_tokens": 1200, "output_tokens": 340}
    answer = {
        "role": "assistant",
        "id": "msg_1",
        "model": "claude-sonnet-4-5-20250929",
        "content": [{"type": "text", "text": "A walrus cannot be kept in a garden."}],
        "usage": usage,
    }
    lines = [
        {"type": "user", "message": {"role": "user", "content": "Can I keep a walrus in the garden?"}},
        {"type": "assistant", "requestId": "req_1", "message": answer},
    ]
    with (folder / f"{SESSION}.jsonl").open("w") as file:
        for number, line in enumerate(lines):
            own = {"uuid": f"{SESSION[:-1]}{number}", "timestamp": f"2026-01-05T10:00:0{number}.000Z"}
            file.write(json.dumps(same | own | line) + "\n")


def newer(wheel: Path, folder: Path) -> None:
    """Write the same wheel with a higher version."""
    version = wheel.name.split("-")[1]
    folder.mkdir(parents=True)
    old, new = f"ccod-{version}.dist-info", f"ccod-{NEWER}.dist-info"
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(folder / f"ccod-{NEWER}-py3-none-any.whl", "w") as target:
        for name in source.namelist():
            body = source.read(name)
            if name in {"ccod/version.py", f"{old}/METADATA"}:
                body = body.replace(version.encode(), NEWER.encode(), 1)
            if name == f"{old}/RECORD":
                body = re.sub(rb",sha256=[^,]*,\d+", b",,", body.replace(old.encode(), new.encode()))
            target.writestr(name.replace(old, new), body)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def lay_out(home: Path, wheel: Path, port: int) -> dict[str, str]:
    """Fill the home, and return the environment of its shell."""
    (home / ".claude" / "projects").mkdir(parents=True)
    downloads = home / "Downloads"
    newer(wheel, downloads / "newer")
    (downloads / wheel.name).write_bytes(wheel.read_bytes())
    (home / "run").mkdir(mode=0o700)
    config = home / ".config" / "ccod" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f"[http]\nport = {port}\n")  # somebody else may hold 3000
    python = home / "python"
    python.mkdir()
    (python / "python3").symlink_to(sys.executable)
    passed = {name: text for name, text in os.environ.items() if re.match("PIP_|SSL_|.*_(proxy|PROXY)$", name)}
    return passed | {
        "HOME": str(home),
        "PATH": f"{python}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "XDG_RUNTIME_DIR": str(home / "run"),
        "COLUMNS": "100",
    }


class Shell:
    """One bash that runs a command after another; a server in the background is waited for."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self._home = home
        self._process = subprocess.Popen(
            ["/bin/bash"],
            cwd=home,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str) -> list[str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n{{ echo; echo '{FINISHED}'; }}\n")
        self._process.stdin.flush()
        said: list[str] = []
        while (line := self._process.stdout.readline()) and line.strip() != FINISHED:
            said.append(line.rstrip("\n"))
        if command.endswith("&"):
            self._await_server()
        return said[:-1] if said and not said[-1] else said

    def _await_server(self) -> None:
        door = self._home / "run" / "ccod" / "ccod.sock"
        for _ in range(LIMIT_SECONDS * 10):
            with socket.socket(socket.AF_UNIX) as probe:
                if door.exists() and probe.connect_ex(str(door)) == 0:
                    return
            time.sleep(0.1)

    def end(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()


def is_missing(command: str) -> bool:
    return command.startswith("systemd-analyze") and not shutil.which("systemd-analyze")


def follow(home: Path, wheel: Path, *, show: bool) -> int:
    """Run all commands; return how many said something else than the page."""
    bad, port = 0, free_port()
    shell = Shell(home, lay_out(home, wheel, port))
    try:
        for command, wanted in steps(PAGE.read_text()):
            if is_missing(command):
                print(f"SKIPPED, not installed: {command}")
                continue
            if "ccod tail" in command:
                history(home)
            said = [line.replace(str(home), "/home/ada").replace(f":{port}", ":3000") for line in shell.run(command)]
            if show:
                print(f"$ {command}", *said, sep="\n", flush=True)
            elif not matches(wanted, said):
                bad += 1
                print(f"$ {command}", "--- should say", *wanted, "--- says", *said, sep="\n", flush=True)
    finally:
        shell.end()
    return bad


def give_up(*_: object) -> None:
    raise TimeoutError(f"not done in {LIMIT_SECONDS} s")


def main() -> int:
    wheel, show = Path(sys.argv[1]).resolve(), "--show" in sys.argv
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LIMIT_SECONDS)
    with tempfile.TemporaryDirectory(prefix="ccod-home-") as folder:
        bad = follow(Path(folder), wheel, show=show)
    print(f"first five minutes: {bad} commands said otherwise" if bad else "first five minutes: as written")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
