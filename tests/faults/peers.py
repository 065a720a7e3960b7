"""What agentsview makes of the files of `python -m tests.faults.tailing`, case by case, in the same run as ccod.

    python -m tests.faults.peers --at-once 4

Each case has three parts: what stands in the files is shown (within half a minute), what stood there and was shown is
still shown in the end, and nothing is shown twice in a conversation, nor what one file says in two. Only what a user
typed is compared, since agentsview joins the rest; and it has as long as it likes between two changes.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
import trio

from tests.bench.agentsview import VERSION, Missing, Peer, installed, serving
from tests.faults.house import House, empty_database
from tests.faults.tailing import CASES, follow

PATIENCE = 30
"""Seconds until what is written must be shown; agentsview batches changes, for 5 s at most."""


class PeerHouse(House):
    """The same folder of transcripts, followed by agentsview."""

    def __init__(self, folder: Path, program: Path) -> None:
        super().__init__(folder)
        self._program = program
        self._peer: Peer
        self._kept: set[str] = set()

    @asynccontextmanager
    async def running(self, *, kill_after: int = 0, **changed: Any) -> AsyncIterator[None]:
        async with serving(self._program, self.folder / "home", self.roots) as self._peer:
            yield

    async def settled(self) -> None:
        wanted: set[tuple[str, str]] = set()
        with trio.move_on_after(PATIENCE):
            while True:
                wanted = {each for path in self._files().values() for each in typed(path.read_bytes())}
                shown = {(message.id, message.text.strip()) for message in self._peer.messages()}
                if wanted <= shown:
                    self._kept |= {key for key, _ in wanted}
                    return
                await trio.sleep(0.1)
        missing = len(wanted - {(message.id, message.text.strip()) for message in self._peer.messages()})
        raise AssertionError(f"{missing} of {len(wanted)} messages not shown within {PATIENCE} s")

    async def stream_count(self) -> int:
        """Return in how many conversations a message is shown."""
        shown = {(message.session, message.id) for message in self._peer.messages()}
        return max(Counter(key for _, key in shown).values(), default=1)

    async def settle_to(self, count: int) -> None:
        await self.settled()

    async def rewritten(self) -> None:
        """It tells nobody."""

    async def deleted(self) -> None:
        """It tells nobody."""

    async def grown(self, size: int) -> None:
        await self.settled()

    async def shown_file(self) -> str | None:
        """Take it for right: it tells no one of them."""
        files = sorted(self.root.rglob(self.file.name))
        return str(files[0]) if files else None

    async def check(self) -> None:
        shown = self._peer.messages()
        lost = len(self._kept - {message.id for message in shown})
        assert not lost, f"{lost} of {len(self._kept)} messages lost that had been shown"
        twice = [key for key, count in Counter((m.session, m.id) for m in shown if m.id).items() if count > 1]
        assert not twice, f"{len(twice)} messages doubled"


def typed(content: bytes) -> list[tuple[str, str]]:
    """Return the ids and texts of what a user typed, of the lines that are whole and well formed."""
    found = []
    for line in content.split(b"\n"):
        try:
            record = json.loads(line)
            text = record["message"]["content"]
        except (ValueError, KeyError, TypeError):
            continue
        if record["type"] == "user" and isinstance(text, str):
            found.append((record["uuid"], text.strip()))
    return found


async def verdict(name: str, house: House) -> str:
    """Return "pass", or what is wrong."""
    try:
        await follow(name, house)
    except AssertionError as error:
        return str(error).partition("\n")[0] or "shown in two conversations"
    except trio.TooSlowError:
        return "not done in time"
    return "pass"


async def compare(program: Path, at_once: int) -> dict[str, tuple[str, str]]:
    """Return for each case what came of it with ccod and with the peer."""
    verdicts: dict[str, tuple[str, str]] = {}
    limiter = trio.CapacityLimiter(at_once)

    async def both(name: str) -> None:
        async with limiter:
            with tempfile.TemporaryDirectory(prefix="ccod-peers-") as folder:
                own = await verdict(name, House(Path(folder) / "own"))
                verdicts[name] = own, await verdict(name, PeerHouse(Path(folder) / "peer", program))
                print(".", end="", flush=True)

    async with trio.open_nursery() as nursery:
        for name in CASES:
            nursery.start_soon(both, name)
    return {name: verdicts[name] for name in CASES}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.peers", description=__doc__.splitlines()[0])
    parser.add_argument("--at-once", type=int, default=4, help="how many cases to run at a time")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        program = installed()
    except Missing as reason:
        print(f"SKIPPED: {reason}")
        return 77
    empty_database()  # before they start: alembic makes one at a time
    verdicts = trio.run(compare, program, arguments.at_once)
    print(f"\n\n| what happens to a file | ccod | agentsview {VERSION} |\n|---|---|---|")
    for name, (own, peer) in verdicts.items():
        print(f"| {name} | {own} | {peer} |")
    passed = [sum(each[which] == "pass" for each in verdicts.values()) for which in (0, 1)]
    print(f"| all {len(verdicts)} | {passed[0]} | {passed[1]} |")
    return int(passed[0] < len(verdicts))


if __name__ == "__main__":
    sys.exit(main())
