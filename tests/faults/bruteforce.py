"""Guess passwords by the thousand, from one address and from ever new ones: how many guesses are tried, and who waits?

    python -m tests.faults.bruteforce --guesses 1000 --seed 1

A guess that is tried is answered 401, one that is not 429, or 503 where too many
wait to be tried. How many may be tried stands in docs/auth.md.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import httpx
import trio
from msgspec import Struct, field

from ccod_jwt.settings import JwtSettings
from tests.e2e.daemon import Daemon, open_daemon
from tests.faults.slowness import Outcome, ask, stay_calm
from tests.plugins.jwt.office import PASSWORD

AT_ONCE = 20
PATIENCE = 120
ANSWERS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
VICTIM, HOME = "me@example.com", {"X-Forwarded-For": "198.51.100.7"}
FREE_OF_PAIR, FREE = 5, 20
LONGEST_OF_ACCOUNT = 5
SLOW_MS = 2000
"""Twenty guesses at once share a processor with whoever asks, and with all else that this machine does."""


class Attack(Struct, frozen=True):
    """Whom is guessed at. With `forged` each guess names another address, which a `trusting` daemon believes."""

    name: str
    accounts: int = 1
    forged: bool = False
    trusting: bool = False

    def most(self, seconds: float) -> int:
        """Return how many guesses may be tried in that time."""
        doubled = math.floor(math.log2(seconds + 1))
        if self.trusting:
            return FREE + min(doubled, 2) + math.ceil(seconds / LONGEST_OF_ACCOUNT)
        return (FREE_OF_PAIR if self.accounts == 1 else FREE) + doubled


ATTACKS = (
    Attack("one address"),
    Attack("one address, many accounts", accounts=1000),
    Attack("forged addresses", forged=True),
    Attack("forged addresses, many accounts", accounts=1000, forged=True),
    Attack("true addresses behind a proxy", forged=True, trusting=True),
)


class Report(Struct):
    """What came of an attack: how many guesses were `tried` and may be at `most`, and how long others waited."""

    name: str
    guesses: int
    tried: int
    most: int
    seconds: float
    victim_waited: float
    others: Outcome
    calm: Outcome
    violations: list[str] = field(default_factory=list)

    def told(self) -> Mapping[str, object]:
        numbers = {name: getattr(self, name) for name in ("name", "guesses", "tried", "most")}
        others = {"others_p99_ms": round(self.others.percentile(99)), "calm_p99_ms": round(self.calm.percentile(99))}
        return numbers | {"seconds": round(self.seconds), "victim_waited": round(self.victim_waited, 1)} | others

    def slow(self) -> list[str]:
        more = self.others.percentile(99) - self.calm.percentile(99)
        return [f"others waited {more:.0f} ms more"] if more > SLOW_MS else []


async def run(folder: Path, attack: Attack, guesses: int, dice: random.Random, rounds: int = 4) -> Report:
    proxies = ["127.0.0.1"] if attack.trusting else []
    http = {"host": "127.0.0.1", "trusted_proxies": proxies, "limits": {"window": 0}}
    tables: dict[str, dict[str, Any]] = {"http": http | {"socket": str(folder / "ccod.sock")}}
    async with open_daemon(folder, tables | {"jwt": {"bcrypt_rounds": rounds}}) as daemon:
        await _settle_in(folder / "ccod.sock")
        if attack.trusting:
            assert (await _log_in(daemon, VICTIM, PASSWORD, HOME)).status_code == HTTPStatus.OK
        calm, others = await stay_calm(daemon), Outcome(0, [])
        answers: Counter[int] = Counter()
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, daemon, others.waited_ms)
            await _guess(daemon, attack, guesses, dice, answers)
            nursery.cancel_scope.cancel()
        seconds = trio.current_time() - began
        waited = await _victim(daemon, attack)
        tried, most = answers[HTTPStatus.UNAUTHORIZED], attack.most(seconds)
        report = Report(attack.name, guesses, tried, most, seconds, waited, others, calm)
        if tried > most or tried < FREE_OF_PAIR:
            report.violations.append(f"{tried} guesses were tried, {most} may be")
        if rest := answers.keys() - ANSWERS:
            report.violations.append(f"guesses were answered with {sorted(rest)}")
        if waited > (0 if attack.forged else 2 ** (tried - FREE_OF_PAIR + 1)):
            report.violations.append(f"the victim waited {waited:.1f} s")
        return report


async def _settle_in(socket: Path) -> None:
    """Make the account that is guessed at, as the owner."""
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(socket)), timeout=30) as owner:
        account = {"email": VICTIM, "password": PASSWORD, "role": "user"}
        (await owner.post("http://localhost/api/users", json=account)).raise_for_status()


async def _log_in(daemon: Daemon, email: str, password: str, headers: Mapping[str, str]) -> httpx.Response:
    body = {"email": email, "password": password}
    return await daemon.client.post(f"{daemon.url}/auth/login", json=body, headers=headers, timeout=PATIENCE)


async def _guess(daemon: Daemon, attack: Attack, guesses: int, dice: random.Random, answers: Counter[int]) -> None:
    left = iter(range(guesses))

    async def one() -> None:
        for number in left:
            email = VICTIM if attack.accounts == 1 else f"n{number % attack.accounts}@example.com"
            forged = {"X-Forwarded-For": str(IPv4Address(dice.getrandbits(32)))} if attack.forged else {}
            answer = await _log_in(daemon, email, f"guess {number}", forged)
            answers[answer.status_code] += 1

    async with trio.open_nursery() as nursery:
        for _ in range(AT_ONCE):
            nursery.start_soon(one)


async def _victim(daemon: Daemon, attack: Attack) -> float:
    """Log in as who is guessed at, from where that was done before, and return how long it must wait.

    Where addresses are forged in vain the victim is the local user, and the guesser a stranger: two addresses.
    """
    headers = HOME if attack.trusting else {}
    began = trio.current_time()
    waited = 0.0
    while (answer := await _log_in(daemon, VICTIM, PASSWORD, headers)).status_code == HTTPStatus.TOO_MANY_REQUESTS:
        await trio.sleep(int(answer.headers["Retry-After"]))
        waited = trio.current_time() - began
    assert answer.status_code == HTTPStatus.OK, answer.text
    return waited


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.bruteforce", description=__doc__)
    parser.add_argument("--guesses", type=int, default=1000, help="of each attack")
    parser.add_argument("--rounds", type=int, default=JwtSettings().bcrypt_rounds)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    failed = False
    for attack in ATTACKS:
        with tempfile.TemporaryDirectory(prefix="ccod-bruteforce-") as folder:
            dice = random.Random(arguments.seed)
            report = trio.run(run, Path(folder), attack, arguments.guesses, dice, arguments.rounds)
        violations = report.violations + report.slow()
        failed |= bool(violations)
        print(json.dumps(dict(report.told()) | {"violations": violations}), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
