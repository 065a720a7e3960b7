"""Hold a running daemon to its own OpenAPI document: requests that fit it, and many that do not.

No server error, no answer that the document does not describe, no wrong request accepted. The requests go to the Unix
socket, where the owner is admin, so that none is refused for want of a right.

python -m tests.faults.contract --count 100 --seed 1
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.home import Tables
from tests.plugins.rest.family import FILES, SESSION

ROOT = Path(__file__).parents[2]
CHECKED_ELSEWHERE = "ignored_auth,object_level_authorization"
"""Who may ask is tried by tests/e2e/test_access.py."""


async def run(folder: Path, count: int, seed: int, *, phases: Sequence[str] = ("coverage", "fuzzing")) -> str:
    """Return what schemathesis says of a daemon that serves a small history; raise AssertionError for any fault."""
    socket = folder / "ccod.sock"
    home = folder / "daemon"
    for name, content in FILES.items():
        path = home / "projects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    tables: Tables = {"http": {"socket": str(socket)}, "jwt": {"bcrypt_rounds": 4}}
    async with open_daemon(home, tables) as daemon:
        await eventually(partial(_has_read, daemon), "conversation")
        async with _relayed(socket) as url:
            said = await _schemathesis(folder, url, count, seed, phases)
        faults = [line for line in daemon.stderr if '"request failed"' in line]
        assert not faults, "\n".join(faults)
        await daemon.get("/health/ready")
    return said


async def _schemathesis(folder: Path, url: str, count: int, seed: int, phases: Sequence[str]) -> str:
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"]
    options = {
        "max-examples": count,
        "seed": seed,
        "phases": ",".join(phases),
        "checks": "all",
        "exclude-checks": CHECKED_ELSEWHERE,
        "exclude-path-regex": "^/(ws|api/events)$",  # what does not end by itself
        "warnings": "off",
        "suppress-health-check": "all",
    }
    command += [f"--{name}={value}" for name, value in options.items()]
    environment = {"PATH": "", "HOME": str(folder), "LANG": "C.UTF-8", "NO_COLOR": "1"}
    environment |= {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.faults.contract_hooks"}
    done = await trio.run_process(
        command,
        stdin=subprocess.DEVNULL,
        capture_stdout=True,
        stderr=subprocess.STDOUT,
        check=False,
        cwd=folder,
        env=environment,
    )
    said = done.stdout.decode()
    assert done.returncode == 0, said
    return said


async def _has_read(daemon: Daemon) -> bool:
    subagents = await daemon.get("/api/conversations")
    return any(each["id"] == SESSION and each["subagentCount"] == 4 for each in subagents["data"])


@asynccontextmanager
async def _relayed(socket: Path) -> AsyncIterator[str]:
    """Serve a Unix socket, which no HTTP client for tests speaks, at a URL."""

    async def relay(client: trio.SocketStream) -> None:
        async with client, await trio.open_unix_socket(socket) as server, trio.open_nursery() as nursery:
            nursery.start_soon(_carry, client, server)
            await _carry(server, client)
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
        nursery.start_soon(trio.serve_listeners, relay, [listener])
        yield f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def _carry(source: trio.SocketStream, target: trio.SocketStream) -> None:
    try:
        async for part in source:
            await target.send_all(part)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # one side has gone; so does the other
    else:
        await target.send_eof()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.contract", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100, help="how many requests of each kind for each route")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with TemporaryDirectory() as folder:
        try:
            print(trio.run(run, Path(folder), arguments.count, arguments.seed))
        except AssertionError as error:
            print(error)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
