"""Change the source in one small place, and run the tests that cover it: do they notice?

    python -m tests.faults.mutants --count 60 --seed 1
    python -m tests.faults.mutants --area auth --count 0 --only plugins/ccod_jwt/backoff.py

The tests of an area run once, to see which functions each of them calls. For each mutant a warm process forks, in which
an import hook compiles the changed source in the place of the true one, and the tests that call the changed function
run until one fails. No file is changed. What daemons of their own processes do is not seen.

Why no library: mutmut copies the packages into a folder of its own and changes only functions, where SQL stands in
constants here; cosmic-ray changes the working tree, and starts Python and all imports anew for each mutant.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

from msgspec import Struct

from tests.faults.mutant_runs import Outcome, baseline, covering, try_mutant, warm_up
from tests.faults.mutating import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
LEAST = 0.8
FAIR = 50
"""Of fewer mutants the score says nothing yet, and is not judged."""


class Part(Struct, frozen=True):
    """Files and folders that must not be wrong, and the tests that should notice if they are."""

    sources: list[str]
    tests: list[str]

    def files(self) -> list[Path]:
        found = [ROOT / each for each in self.sources]
        return [path for each in found for path in (sorted(each.glob("*.py")) if each.is_dir() else [each])]


def _paths(pattern: str, names: str) -> list[str]:
    return [pattern.format(name) for name in names.split()]


_PARSER = "attachments content ends families layout lines parser queued responses retention spawning titles"
_PARSED = "attachments checking content contract ends families figures layout parser retention salvage spawning"
_MONEY = "costs ownership pricing quarters responses rollups usage"
_COUNTED = "contract forget naming ownership pricing quarters tables"
_DOORS = "callers crowd gate identity quota safety tickets"
_KNOCKED = "crowd exposure gate identity quota safety tickets tls unix"

AREAS = {
    "parser": [
        Part(_paths("plugins/ccod_claude/{}.py", _PARSER), _paths("tests/plugins/claude/test_claude_{}.py", _PARSED)),
    ],
    "tailer": [Part(["plugins/ccod_jsonl"], ["tests/plugins/claude"])],
    "accounting": [
        Part(["plugins/ccod_prices"], ["tests/plugins/prices"]),
        Part(_paths("plugins/ccod_sql/{}.py", _MONEY), _paths("tests/plugins/sql/test_sql_{}.py", _COUNTED)),
    ],
    "auth": [
        Part(["plugins/ccod_jwt", "ccod/rights.py"], ["tests/plugins/jwt"]),
        Part(
            _paths("plugins/ccod_http/{}.py", _DOORS),
            ["tests/plugins/jwt/test_jwt_revocation.py", *_paths("tests/plugins/http/test_http_{}.py", _KNOCKED)],
        ),
    ],
}


class Tally(Struct):
    """What became of the mutants of an area."""

    mutants: int = 0
    killed: int = 0
    timeouts: int = 0

    @property
    def score(self) -> float:
        return round(self.killed / self.mutants, 3) if self.mutants else 1.0

    @property
    def is_judged_low(self) -> bool:
        return self.mutants >= FAIR and self.score < LEAST

    def add(self, mutant: Mutant, outcome: Outcome) -> None:
        self.mutants += 1
        self.killed += outcome != "survived"
        self.timeouts += outcome == "timeout"
        if outcome == "survived":
            where = f"{mutant.path.relative_to(ROOT)}:{mutant.line}"
            print(f"SURVIVED: {where}  {mutant.old}  →  {mutant.new}", flush=True)


def run(area: list[Part], chosen: list[Mutant], folder: Path, seed: int) -> Tally:
    """Try each of the chosen mutants."""
    tally = Tally()
    for part in area:
        files = part.files()
        mine = [mutant for mutant in chosen if mutant.path in files]
        if mine:
            tests = baseline([ROOT / each for each in part.tests], files, folder, seed)
            seconds = sum(test.seconds for test in tests.values())
            print(f"{len(mine)} mutants; {len(tests)} tests pass in {seconds:.0f} s", flush=True)
            for mutant in mine:
                tally.add(mutant, try_mutant(mutant, covering(mutant, tests), folder, seed))
    return tally


def choose(area: list[Part], only: list[Path], count: int, dice: random.Random) -> list[Mutant]:
    """Return so many mutants of an area, all for 0."""
    files = [path for part in area for path in part.files() if not only or path in only]
    found = [mutant for path in files for mutant in mutants_of(path)]
    return found if count == 0 else dice.sample(found, min(count, len(found)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=60, help="mutants of each area, 0 for all there are")
    parser.add_argument("--area", action="append", choices=AREAS)
    parser.add_argument("--only", action="append", type=Path, default=[], metavar="FILE", help="change only this one")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    only = [path.resolve() for path in arguments.only]
    print(f"seed {arguments.seed}", flush=True)
    warm_up()
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory(prefix="ccod-mutants-") as folder:
        for name in arguments.area or AREAS:
            dice = random.Random(f"{arguments.seed} {name}")
            if chosen := choose(AREAS[name], only, arguments.count, dice):
                print(f"{name}:", flush=True)
                tallies[name] = run(AREAS[name], chosen, Path(folder), arguments.seed)
    totals = {
        name: {"mutants": each.mutants, "killed": each.killed, "timeouts": each.timeouts, "score": each.score}
        for name, each in tallies.items()
    }
    print(json.dumps({"seed": arguments.seed} | totals))
    return int(any(each.is_judged_low for each in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
