"""How long commands take to start, against an interpreter that does nothing, in turn in the same run.

python -m tests.bench.start [--rounds 20] [--home DIR]; `status` is measured where a daemon of that home answers.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

CCOD = str(Path(sys.executable).with_name("ccod"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "ccod --version": [CCOD, "--version"],
    "ccod status --json": [CCOD, "status", "--json"],
    "ccod config path": [CCOD, "config", "path"],
    "ccod completion bash": [CCOD, "completion", "bash"],
    "ccod --help": [CCOD, "--help"],
    "ccod usage daily": [CCOD, "usage", "daily"],
}


def measure(rounds: int, home: Path) -> dict[str, tuple[float, float]]:
    """Return the medians of each command's milliseconds: on the clock, and of processor time."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    environment["XDG_RUNTIME_DIR"] = str(home / "run")
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            began, used = time.perf_counter(), _used()
            subprocess.run(command, env=environment, capture_output=True, check=False)
            took[name].append((1000 * (time.perf_counter() - began), 1000 * (_used() - used)))
    medians = {name: [statistics.median(each) for each in zip(*pairs, strict=True)] for name, pairs in took.items()}
    return {name: (clock, processor) for name, (clock, processor) in medians.items()}


def _used() -> float:
    """Return the seconds of processor time of all processes that were run."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--home", type=Path, default=Path("/nonexistent"))
    arguments = parser.parse_args()
    found = measure(arguments.rounds, arguments.home)
    for name, (clock, processor) in found.items():
        print(f"| `{name}` | {clock:.0f} | {processor:.0f} | {clock / found['python -c pass'][0]:.1f} |")


if __name__ == "__main__":
    main()
