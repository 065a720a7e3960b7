"""How long commands take to start, against an interpreter that does nothing, in turn in the same run.

python -m tests.bench.start [--rounds 20] [--home DIR]; those that ask are measured where a daemon of that home answers.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

CCOD = str(Path(sys.executable).with_name("ccod"))
NOTHING = "python -c pass"
DOWN = "status --json, no daemon"
ALONE = (
    "--version",
    "--help",
    "completion bash",
    "config path",
    "config get http.port",
    "config show",
    "plugins --json",
)
ASKING = ("status --json", "sessions", "usage daily", "usage session --json")
"""The last is answered for each conversation that is stored."""


def commands(home: Path) -> dict[str, list[str]]:
    """Return the commands to measure by their names, those that ask where there is whom to ask."""
    found = {NOTHING: [sys.executable, "-c", "pass"], DOWN: [CCOD, "status", "--json"]}
    found |= {name: [CCOD, *name.split()] for name in ALONE}
    listed = subprocess.run(
        [CCOD, "sessions", "--limit", "1", "--json"], env=environment(home), capture_output=True, check=False
    )
    if listed.returncode == 0:
        found |= {name: [CCOD, *name.split()] for name in ASKING}
        found["show PREFIX"] = [CCOD, "show", json.loads(listed.stdout)["conversations"][0]["id"][:8]]
    return found


def environment(home: Path) -> dict[str, str]:
    folders = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")}
    return folders | {"PATH": os.environ["PATH"]}


def measure(rounds: int, home: Path) -> dict[str, list[tuple[float, float]]]:
    """Return each command's milliseconds in every round: on the clock, and of processor time."""
    chosen = commands(home)
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen}
    for _ in range(rounds):
        for name, command in chosen.items():
            surroundings = environment(Path("/nonexistent") if name == DOWN else home)
            began, used = time.perf_counter(), _used()
            subprocess.run(command, env=surroundings, capture_output=True, check=False)
            took[name].append((1000 * (time.perf_counter() - began), 1000 * (_used() - used)))
    return took


def _used() -> float:
    """Return the seconds of processor time of all processes that were run."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--home", type=Path, default=Path("/nonexistent"))
    arguments = parser.parse_args()
    print("| command | clock, ms: median, least | processor, ms: median, least |")
    for name, pairs in measure(arguments.rounds, arguments.home).items():
        clock, processor = (f"{statistics.median(each):.0f}, {min(each):.0f}" for each in zip(*pairs, strict=True))
        print(f"| `{name}` | {clock} | {processor} |")


if __name__ == "__main__":
    main()
