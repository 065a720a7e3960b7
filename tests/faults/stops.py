"""Ask the daemon to stop at random moments, among clients that listen and clients that are stuck: does it, in order?

    python -m tests.faults.stops --stops 200 --seed 1

Signals to stop come alone, twice, or behind one to reload, and from before it is ready.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import trio
from msgspec import Struct
from trio_websocket import ConnectionClosed, HandshakeError

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.stuck import half_a_request, never_reading_websocket
from tests.faults.crash import Report as Stored
from tests.faults.crash import Transcript, all_read, check, compare

FILES = 4
BURST = 60
CLIENTS, STUCK = 10, 4
STOP_SECONDS = 10.0
STOPS = ((signal.SIGTERM,), (signal.SIGINT,), (signal.SIGHUP, signal.SIGTERM))


class Report(Struct):
    """What came of it; `longest` in seconds."""

    stored: Stored
    stops: int = 0
    early: int = 0
    longest: float = 0
    wrong: list[str] = []

    @property
    def violations(self) -> int:
        return len(self.wrong) + self.stored.violations


async def stops(home: Path, count: int, seed: int) -> Report:
    """Run the whole experiment on folders below `home`."""
    dice = random.Random(seed)
    report = Report(stored=Stored())
    async with open_daemon(home, start=False) as daemon:
        folder = daemon.home.root / "-home-dev-demo"
        folder.mkdir()
        transcripts = [Transcript(folder, dice) for _ in range(FILES)]
        for _ in range(count):
            for transcript in transcripts:
                transcript.grow(dice.randint(0, BURST))
            if dice.random() < 0.2:
                report.early += 1
                await daemon.spawn()
                await daemon.logged("listening")
                await trio.sleep(dice.uniform(0, 0.3))
                await _stop(daemon, dice, report)
            else:
                await daemon.start()
                await _stop_among_clients(daemon, transcripts, dice, report)
        await _finish(daemon, transcripts, report)
    return report


async def _stop_among_clients(
    daemon: Daemon, transcripts: list[Transcript], dice: random.Random, report: Report
) -> None:
    with ExitStack() as stuck:
        for _ in range(STUCK):
            begin = dice.choice((never_reading_websocket, half_a_request))
            stuck.enter_context(begin(daemon))
        async with trio.open_nursery() as nursery:
            for _ in range(CLIENTS):
                nursery.start_soon(_listen, daemon)
            with trio.move_on_after(dice.uniform(0, 0.4)):
                while True:
                    dice.choice(transcripts).grow(dice.randint(1, 5))
                    await trio.sleep(0.01)
            await _stop(daemon, dice, report)
            nursery.cancel_scope.cancel()


async def _listen(daemon: Daemon) -> None:
    """Hear what there is to hear; that the daemon goes away is the point."""
    try:
        async with daemon.websocket("conversations") as listener:
            while True:
                await listener.next(lambda _: True, seconds=60)
    except* (ConnectionClosed, HandshakeError, trio.BrokenResourceError, OSError, AssertionError):
        pass


async def _stop(daemon: Daemon, dice: random.Random, report: Report) -> None:
    began = trio.current_time()
    for number in dice.choice(STOPS):
        daemon.process.send_signal(number)
    with trio.move_on_after(STOP_SECONDS):
        await daemon.process.wait()
    report.stops += 1
    report.longest = round(max(report.longest, trio.current_time() - began), 2)
    if daemon.process.returncode != 0 or any("Traceback" in said for said in daemon.stderr):
        report.wrong.append(f"exit {daemon.process.returncode}; {daemon.report()[-800:]}")
        await daemon.end()


async def _finish(daemon: Daemon, transcripts: list[Transcript], report: Report) -> None:
    for transcript in transcripts:
        transcript.finish()
    await daemon.start()
    await eventually(lambda: all_read(daemon.home.database, transcripts), "end of the reading", 120)
    for transcript in transcripts:
        await compare(daemon, transcript, report.stored)
    assert await daemon.terminate() == 0, daemon.report()
    check(daemon.home.database, report.stored)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.stops", description=__doc__)
    parser.add_argument("--stops", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ccod-stops-") as home:
        report = trio.run(stops, Path(home), arguments.stops, arguments.seed)
    shown = {name: getattr(report, name) for name in report.__struct_fields__ if name != "stored"}
    stored = {name: getattr(report.stored, name) for name in ("lines", "lost", "doubled", "strange", "damaged")}
    print(json.dumps(shown | stored))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
