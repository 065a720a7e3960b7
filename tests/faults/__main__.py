"""All that tries to break ccod, one program after the other, and a table of what came of it.

python -m tests.faults --seed 1
python -m tests.faults --quick
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time

from msgspec import Struct

LIMIT_SECONDS = 3600
SKIPPED = 77
"""The exit code of a program that needs what is not there, and says so."""


class Trial(Struct, frozen=True):
    """A program of this folder, and the option that says how much of it; nothing means all there is."""

    name: str
    option: str = ""
    full: int = 0
    quick: int = 0

    def command(self, seed: int, *, quick: bool) -> list[str]:
        command = [sys.executable, "-m", f"tests.faults.{self.name}"]
        size = self.quick if quick else self.full
        return [*command, self.option, str(size), "--seed", str(seed)] if self.option else command


class Outcome(Struct, frozen=True):
    trial: Trial
    seconds: float
    verdict: str


TRIALS = (
    Trial("crash", "--kills", 100, 5),
    Trial("syscalls", "--points", 60, 3),
    Trial("stops", "--stops", 200, 3),
    Trial("powerloss", "--cuts", 200, 3),
    Trial("overflow", "--files", 20_000, 200),
    Trial("clocks", "--scenarios", 8, 1),
    Trial("scale", "--files", 100_000, 300),
    Trial("soak", "--seconds", 3600, 10),
    Trial("resilience", "--rounds", 10, 1),
    Trial("migrating", "--kills", 100, 3),
    Trial("tailing"),
    Trial("histories", "--count", 300, 10),
    Trial("salvage", "--count", 10_000, 500),
    Trial("patterns", "--size", 100_000, 2000),
    Trial("mutation", "--count", 100_000, 1000),
    Trial("configurations", "--count", 5000, 300),
    Trial("odd_settings"),
    Trial("odd_starts"),
    Trial("contract", "--count", 100, 3),
    Trial("timing", "--count", 300, 5),
    Trial("ownership", "--umasks", 3, 1),
    Trial("limits"),
    Trial("requests", "--rounds", 5, 1),
    Trial("loglines"),
    Trial("bruteforce", "--guesses", 1000, 60),
    Trial("forgery"),
    Trial("families", "--steps", 1000, 60),
    Trial("browser", "--pages", 4, 2),
    Trial("secrets", "--draws", 5, 1),
    Trial("scripts", "--payloads", 200, 5),
    Trial("supply"),
    Trial("slowness"),
    Trial("descriptors", "--connections", 200, 80),
    Trial("chaos", "--count", 1000, 5),
    Trial("subscribers", "--kills", 50, 3),
    Trial("slow", "--stuck", 200, 20),
    Trial("rude", "--frames", 50_000, 1000),
    Trial("autobahn", "--cases", 517, 1),
)


def run(trial: Trial, seed: int, *, quick: bool) -> Outcome:
    command = trial.command(seed, quick=quick)
    print(f"\n$ python {' '.join(command[1:])}", flush=True)
    began = time.monotonic()
    try:
        code = subprocess.run(command, check=False, timeout=LIMIT_SECONDS).returncode
    except subprocess.TimeoutExpired:
        verdict = f"not done in {LIMIT_SECONDS} s"
    else:
        verdict = {0: "pass", SKIPPED: "SKIPPED, see above"}.get(code, f"FAIL (exit {code})")
    return Outcome(trial, time.monotonic() - began, verdict)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only as much as the tests do")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    outcomes = [run(trial, arguments.seed, quick=arguments.quick) for trial in TRIALS]
    print(f"\nseed {arguments.seed}")
    for outcome in outcomes:
        print(f"{outcome.trial.name:14}{outcome.seconds:>8.0f} s  {outcome.verdict}")
    return 0 if all(outcome.verdict.startswith(("pass", "SKIPPED")) for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
