"""Log in with wrong passwords, in turn to an account that exists and to ones that do not: nobody must tell them apart.

python -m tests.faults.timing --count 300
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from statistics import median

import trio
from msgspec import Struct

from ccod_jwt.backoff import FORGET_SECONDS, Backoff
from ccod_jwt.settings import JwtSettings
from tests.plugins.jwt.desk import Desk, desk
from tests.plugins.jwt.office import PASSWORD

WITHIN = 0.1


class Report(Struct):
    """What came of it: how long each answer took, in seconds, and what was said but for the time."""

    known: list[float] = []
    unknown: list[float] = []
    answers: set[str] = set()

    @property
    def difference(self) -> float:
        """How far the medians are apart, as a part of the larger one."""
        least, most = sorted((median(self.known), median(self.unknown)))
        return 1 - least / most


async def timing(folder: Path, attempts: int, rounds: int) -> Report:
    report = Report()
    hours = count(step=2 * FORGET_SECONDS)
    async with desk(folder, Backoff(lambda: next(hours)), bcrypt_rounds=rounds) as served:
        await served.auth.accounts.add("known@example.com", PASSWORD, "user")
        for number in range(attempts):
            await attempt(served, "known@example.com", report.known, report.answers)
            await attempt(served, f"n{number:04}@example.com", report.unknown, report.answers)
    return report


async def attempt(served: Desk, email: str, times: list[float], answers: set[str]) -> None:
    began = time.perf_counter()
    body = {"email": email, "password": "not the password"}
    answer = await served.ask("POST", "/auth/login", body, headers={"X-Request-ID": "same"})
    times.append(time.perf_counter() - began)
    answers.add(str((answer.status, {**answer.headers, "date": ""}, {**answer.body, "timestamp": ""})))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.timing", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300, help="attempts of each kind")
    parser.add_argument("--rounds", type=int, default=JwtSettings().bcrypt_rounds)
    parser.add_argument("--seed", help="nothing here is left to chance")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = trio.run(timing, Path(folder), arguments.count, arguments.rounds)
    for name, times in (("known", report.known), ("unknown", report.unknown)):
        print(f"{name:8} {len(times)} attempts, median {1000 * median(times):.1f} ms")
    print(f"medians differ by {report.difference:.1%}, answers: {len(report.answers)} different")
    return 0 if report.difference <= WITHIN and len(report.answers) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
