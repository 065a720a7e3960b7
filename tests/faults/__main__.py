"""All that tries to break ccod, one program after the other, and a table of what came of it.

    python -m tests.faults --size ci --seed 1
    python -m tests.faults --size smoke --only crash --only tailing

`smoke` is what the tests do, `ci` some 20 minutes of it on two cores, `nightly` all that reason asks for.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Literal, cast, get_args

import trio
from msgspec import Struct

Size = Literal["smoke", "ci", "nightly"]
LIMIT_SECONDS: dict[Size, float] = {"smoke": 300, "ci": 900, "nightly": 5 * 3600}
"""A program that takes longer has failed."""
VERDICTS = {0: "pass", 77: "SKIPPED"}
"""What exit codes mean: a program that needs what is not there says so, and ends with 77."""


class Trial(Struct, frozen=True):
    """A program of this folder, and the option that says how much of it; no option where it always does all.

    0 is nothing at all: the program takes too long for this size.
    """

    name: str
    option: str = ""
    smoke: int = 0
    ci: int = 0
    nightly: int = 0

    def command(self, seed: int, size: Size) -> list[str]:
        """Return what to run."""
        command = [sys.executable, "-m", f"tests.faults.{self.name}"]
        return [*command, self.option, str(getattr(self, size)), "--seed", str(seed)] if self.option else command


class Outcome(Struct, frozen=True):
    """`said` is the last line of the program, which tells in numbers what it did."""

    trial: Trial
    seconds: float
    verdict: str
    said: str

    @property
    def is_well(self) -> bool:
        return self.verdict in VERDICTS.values()


TRIALS = (
    Trial("crash", "--kills", 5, 20, 1000),
    Trial("syscalls", "--points", 3, 12, 1000),
    Trial("stops", "--stops", 3, 8, 200),
    Trial("powerloss", "--cuts", 3, 10, 2000),
    Trial("overflow", "--files", 200, 500, 20_000),
    Trial("clocks", "--scenarios", 1, 1, 8),
    Trial("scale", "--files", 300, 1000, 100_000),
    Trial("soak", "--seconds", 10, 30, 3600),
    Trial("resilience", "--rounds", 1, 2, 10),
    Trial("migrating", "--kills", 3, 10, 100),
    Trial("tailing"),
    Trial("histories", "--count", 10, 30, 3000),
    Trial("salvage", "--count", 500, 10_000, 100_000),
    Trial("patterns", "--size", 2000, 50_000, 100_000),
    Trial("mutation", "--count", 1000, 30_000, 10_000_000),
    Trial("mutants", "--count", 0, 0, 200),
    Trial("configurations", "--count", 300, 2000, 5000),
    Trial("odd_settings"),
    Trial("odd_starts"),
    Trial("contract", "--count", 3, 5, 1000),
    Trial("timing", "--count", 5, 60, 300),
    Trial("ownership", "--umasks", 1, 3, 3),
    Trial("limits"),
    Trial("requests", "--rounds", 1, 5, 5),
    Trial("loglines"),
    Trial("bruteforce", "--guesses", 60, 150, 1000),
    Trial("forgery"),
    Trial("families", "--steps", 60, 1000, 1000),
    Trial("browser", "--pages", 2, 2, 4),
    Trial("secrets", "--draws", 1, 5, 5),
    Trial("scripts", "--payloads", 5, 60, 200),
    Trial("supply"),
    Trial("slowness"),
    Trial("descriptors", "--connections", 80, 200, 200),
    Trial("chaos", "--count", 5, 15, 1000),
    Trial("subscribers", "--kills", 3, 5, 50),
    Trial("postgreskills", "--kills", 2, 5, 50),
    Trial("rediskills", "--kills", 2, 5, 50),
    Trial("shared", "--kills", 1, 5, 50),
    Trial("slow", "--stuck", 20, 200, 200),
    Trial("rude", "--frames", 1000, 6000, 50_000),
    Trial("autobahn", "--cases", 1, 20, 517),
)


async def run(trial: Trial, seed: int, size: Size) -> Outcome:
    """Run a program; show what it says."""
    if trial.option and not getattr(trial, size):
        return Outcome(trial, 0, "SKIPPED", f"too long for the size {size}")
    command = trial.command(seed, size)
    print(f"\n$ python {' '.join(command[1:])}", flush=True)
    began, said = trio.current_time(), b""
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
    assert process.stdout
    with trio.move_on_after(LIMIT_SECONDS[size]) as limit:
        async for some in process.stdout:
            sys.stdout.buffer.write(some)
            sys.stdout.flush()
            said = (said + some)[-4096:]
        await process.wait()
    if limit.cancelled_caught:
        process.kill()
    code = await process.wait()
    verdict = "not done in time" if limit.cancelled_caught else VERDICTS.get(code, f"FAIL (exit {code})")
    last = said.decode(errors="replace").strip().rpartition("\n")[2]
    return Outcome(trial, trio.current_time() - began, verdict, last)


async def run_all(trials: list[Trial], seed: int, size: Size) -> list[Outcome]:
    """Run one after the other: they measure, and would disturb each other."""
    return [await run(trial, seed, size) for trial in trials]


def table(outcomes: list[Outcome]) -> str:
    """Return what came of it as Markdown."""
    rows = [
        f"| `{each.trial.name}` | {each.seconds:.0f} | {each.verdict} | {each.said[:200].replace('|', '/')} |"
        for each in outcomes
    ]
    return "\n".join(("| programme | s | | its last line |", "|---|---|---|---|", *rows))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=get_args(Size), default="ci", help="how much of it")
    parser.add_argument("--only", action="append", metavar="PROGRAM", choices=[each.name for each in TRIALS])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there too")
    arguments = parser.parse_args()
    size = cast("Size", arguments.size)
    trials = [each for each in TRIALS if not arguments.only or each.name in arguments.only]
    outcomes = trio.run(partial(run_all, trials, arguments.seed, size))
    shown = table(outcomes)
    total = sum(each.seconds for each in outcomes)
    print(f"\nsize {size}, seed {arguments.seed}, {total / 60:.0f} minutes\n\n{shown}")
    if arguments.markdown:
        arguments.markdown.write_text(f"{shown}\n")
    return int(not all(each.is_well for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
