"""The mixed load of `tests.bench.load` for long: nothing may grow without end.

    python -m tests.faults.soak --seconds 3600 --seed 1

How memory, open files and threads grow is judged after twenty minutes, since the cache of answers takes some to fill,
and over twenty minutes at least.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

import trio

from tests.bench.load import Day, Report, is_sound, load

WARM_UP_MINUTES = 20
JUDGED_MINUTES = 2 * WARM_UP_MINUTES
RSS_PER_HOUR = 2**20
MOST_WAL = 64 * 2**20
LEAST_GROWTH = 1.0
"""Of files or threads: less than one more in all the time is none."""


def faults(report: Report, day: Day) -> list[str]:
    """Say what is not as it should be."""
    found = report.tally.errors[:10]
    if not is_sound(report, day):
        found.append(f"{report.tally.heard} of {report.tally.appended * day.clients} messages were heard")
    if (wal := max(sample.wal for sample in report.samples)) > MOST_WAL:
        found.append(f"the journal had {wal / 2**20:.0f} MiB")
    if day.minutes < JUDGED_MINUTES:
        return found
    if (growth := 60 * report.per_minute("rss", WARM_UP_MINUTES)) >= RSS_PER_HOUR:
        found.append(f"memory grows by {growth / 2**20:.2f} MiB/h")
    for name in ("files", "threads"):
        if (growth := day.minutes * report.per_minute(name, WARM_UP_MINUTES)) >= LEAST_GROWTH:
            found.append(f"{name} grew by {growth:.1f}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--rate", type=float, default=Day().rate, help="requests a second")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    day = Day(arguments.seconds / 60, rate=arguments.rate, seed=arguments.seed)
    with tempfile.TemporaryDirectory(prefix="ccod-soak-") as folder:
        report = trio.run(load, Path(folder), day)
    found, last, tally = faults(report, day), report.samples[-1], report.tally
    counts = {"requests": len(tally.requests.seconds), "appended": tally.appended, "heard": tally.heard}
    sizes = {name: getattr(last, name) for name in ("rss", "files", "threads", "wal")}
    judged = day.minutes >= JUDGED_MINUTES
    warm_up = WARM_UP_MINUTES if judged else day.minutes / 4
    slopes = {f"{name}_per_hour": round(60 * report.per_minute(name, warm_up), 1) for name in sizes}
    print(json.dumps(counts | sizes | slopes | {"judged": judged, "wrong": found}))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
