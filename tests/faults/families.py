"""Log in, refresh, use a token twice or at once, log out, change what there is: exactly the right tokens are valid.

    python -m tests.faults.families --steps 1000 --seed 1

After each step every token that was ever given is tried, and compared with a model; after a round by a new plugin too.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

import trio
from msgspec import Struct, field

from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from tests.plugins.jwt.office import PASSWORD, office
from tests.plugins.jwt.test_jwt_logins import STEPS, Model, Person
from tests.prices import PRICES

STEPS_OF_ROUND = 50


class Report(Struct):
    """How often each step was taken, how many tokens were given, and what was not as the model has it."""

    taken: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    violations: list[str] = field(default_factory=list)


async def run(folder: Path, steps: int, seed: int) -> Report:
    dice, report = random.Random(seed), Report()
    while report.taken.total() < steps and not report.violations:
        rest = steps - report.taken.total()
        await _round(folder / f"{report.taken.total()}.db", min(rest, STEPS_OF_ROUND), dice, report)
    return report


async def _round(database: Path, steps: int, dice: random.Random, report: Report) -> None:
    path: list[str] = []
    try:
        async with SqlStorage(SqliteSettings(path=str(database)), "machine", PRICES) as storage:
            async with office(storage) as auth:
                model = Model(auth)
                await _settle_in(model)
                for _ in range(steps):
                    step, at = dice.choice(STEPS), dice.randrange(100)
                    path.append(f"{step.__name__} {at}")
                    report.taken[step.__name__] += 1
                    await step(model, at)
                    await model.check()
            async with office(storage) as model.auth:
                await model.check()
    except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
        report.violations.append(f"after {', '.join(path)}:\n{traceback.format_exc()}")
    else:
        report.tokens += sum(len(family.access) + len(family.refresh) for family in model.families)


async def _settle_in(model: Model) -> None:
    accounts = model.auth.accounts
    for account in (
        await accounts.add("one@example.com", PASSWORD, "admin"),
        await accounts.add("two@example.com", PASSWORD, "user"),
    ):
        model.people.append(Person(account.id, account.email, PASSWORD, account.role))
        await model.log_in(len(model.people) - 1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.families", description=__doc__)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ccod-families-") as folder:
        report = trio.run(run, Path(folder), arguments.steps, arguments.seed)
    for violation in report.violations:
        print(f"VIOLATION: {violation}")
    counts = f"{report.taken.total()} steps, {report.tokens} tokens, {len(report.violations)} violations"
    print(f"{counts}; {dict(report.taken)}")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
