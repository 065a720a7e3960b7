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
    Trial("tailing"),
    Trial("histories", "--count", 300, 10),
    Trial("salvage", "--count", 10_000, 500),
    Trial("mutation", "--count", 100_000, 1000),
    Trial("configurations", "--count", 5000, 300),
