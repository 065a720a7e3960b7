"""A plugin that misbehaves in every place where a plugin can, one daemon for each: who else is served, who is named?

python -m tests.faults.chaos
python -m tests.faults.chaos --only role:parser
python -m tests.faults.chaos --count 10 --seed 1
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import trio

from ccod.supervisor import one_line
from ccod.testing.daemon import CCOD, ending
from ccod.testing.home import UNMEASURED
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import SESSION, answer, line
from tests.faults import chaos_plugins as make
from tests.faults import service_manager
from tests.faults.chaos_cells import BY_HAND, Cell, cells

ENDS = {70, -27, -6}
"""The watchdog's thread, its timer, and the service manager."""
LEFT_OUT = 78
START_SECONDS = 90.0
"""Until a daemon is ready, on a machine that has much else to do."""
SECONDS = 240


def install(daemon: Daemon, cell: Cell) -> None:
    folder = daemon.home.path / "one-file"
    folder.mkdir(mode=0o755)
    plugins = {"a_hasty": make.HASTY, "good": make.GOOD}
    if cell.is_distribution:
        _install_distribution(daemon, cell)
    else:
        plugins["chaos"] = cell.code
    for name, code in plugins.items():
        (folder / f"{name}.py").write_text(code)
        (folder / f"{name}.py").chmod(0o666 if (name, cell.deed) == ("chaos", "writable") else 0o644)
    settings: dict[str, object] = {"plugins_dir": str(folder)}
    if cell.role:
        settings[cell.role] = "chaos"
    text = daemon.home.config.read_text()
    daemon.home.config.write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()) + text)


def _install_distribution(daemon: Daemon, cell: Cell) -> None:
    daemon.home.install("chaos", cell.code)
    described = daemon.home.plugins / "ccod_chaos-1.dist-info"
    if need := make.REQUIRES.get(cell.deed):
        with (described / "METADATA").open("a") as file:
            file.write(f"Requires-Dist: {need}\n")
    (described / "entry_points.txt").write_text(f"[ccod]\n{cell.name} = ccod_chaos\n")


async def violations(cell: Cell, path: Path) -> list[str]:
    """Try one cell; return what went otherwise than it should."""
    async with open_daemon(path, start=False) as daemon:
        install(daemon, cell)
        if cell.stops:  # an event loop that is traced may stand still
            daemon.home.variables |= UNMEASURED
        if cell.place.removeprefix("hook:") in BY_HAND:
            said = await _printed(daemon)
            return [] if "chaos" in said else ["not named by ccod doctor"]
        if cell.is_vital and not cell.stops:
            await daemon.spawn()
            return _refusal(daemon, await daemon.wait(30))
        with service_manager.notified(daemon, path / "notify") as notifications:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(service_manager.watch, daemon, notifications)
                found = await _running(cell, daemon)
                nursery.cancel_scope.cancel()
        return found


async def _printed(daemon: Daemon) -> str:
    done = await trio.run_process(
        [*CCOD, "doctor", "--json", "--config", str(daemon.home.config)],
        capture_stdout=True,
        capture_stderr=True,
        check=False,
        env=daemon.home.environment,
    )
    return (done.stdout + done.stderr).decode()


def _refusal(daemon: Daemon, code: int) -> list[str]:
    named = any(said.startswith("ccod: ") and "chaos" in said for said in daemon.stderr)
    return [*([] if code == LEFT_OUT else [f"exit {code} instead of 78"]), *([] if named else ["not named"])]


async def _running(cell: Cell, daemon: Daemon) -> list[str]:
    """Start the daemon, again where it ends, and look at what it does."""
    ended: list[int] = []
    found: list[str] = []
    while len(ended) < 3:
        try:
            await daemon.start()
            found = await _served(cell, daemon)
        except Exception as error:  # noqa: BLE001
            with trio.move_on_after(60 if cell.stops else 2):
                await daemon.process.wait()
            if daemon.process.returncode is None:
                return [f"it does not serve: {type(error).__name__}: {' '.join(str(error).split())[:300]}"]
        if daemon.process.returncode is None:
            break
        ended.append(daemon.process.returncode)
        if ended[-1] == LEFT_OUT:
            break
    return [*found, *_judged(cell, daemon, ended), *await _ending(cell, daemon)]


def _judged(cell: Cell, daemon: Daemon, ended: list[int]) -> Iterator[str]:
    """Say what was wrong with how the processes ended."""
    if not cell.stops:
        if ended:
            yield f"it had to be started again: exit {ended}"
        return
    if cell.role in {"storage", "auth"}:  # without them nothing goes on
        refused = ended[-1:] == [LEFT_OUT]
        yield from _refusal(daemon, LEFT_OUT if refused else 0)
        ended = ended[:-1] if refused else ended
    if len(ended) != 1 or ended[0] not in ENDS:
        yield f"it was not ended once: exit {ended}"


async def _ending(cell: Cell, daemon: Daemon) -> list[str]:
    if daemon.process.returncode is not None:
        return []
    code = await daemon.terminate()
    found = [] if code in {0, 1} else [f"exit {code} at the end"]
    if cell.deed == "never ends" and not any("transport chaos" in said for said in daemon.stderr):
        found.append("not named at the end")
    return found


async def _served(cell: Cell, daemon: Daemon) -> list[str]:
    """Write lines and see them come out; tell whether the log, health and metrics do not name who misbehaves."""
    daemon.home.root.joinpath("-home-dev-demo").mkdir(exist_ok=True)
    transcript = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
    with trio.fail_after(20):
        _write(transcript, line("one") + answer("two"))
        if cell.is_blind:
            await _asked(daemon, "/api/conversations")
            await _stored(daemon)
        elif cell.place.startswith("role:storage"):
            await daemon.get("/api/good")
            await _asked(daemon, "/api/conversations")
            if cell.place != "role:storage append":
                await _stored(daemon)
        else:
            await _heard(daemon, transcript)
            await daemon.get("/api/good")
        if cell.place == "role:route":
            await _asked(daemon, "/api/chaos")
        if cell.place == "role:analytics":
            await _asked(daemon, f"/api/conversations/{SESSION}/analytics")
    if cell.deed == "never ends":
        return []
    found: list[str] = []
    with trio.move_on_after(15) as scope:
        while found := await _unnamed(cell, daemon):
            await trio.sleep(0.1)
    return found if scope.cancelled_caught else []


async def _heard(daemon: Daemon, transcript: Path) -> None:
    async with daemon.websocket("conversations") as listener:
        _write(transcript, line("three"))
        await listener.event("message_added", 10)
    while not any(each["id"] == SESSION for each in await daemon.items("/api/conversations")):
        await trio.sleep(0.05)


def _write(path: Path, lines: bytes) -> None:
    with path.open("ab") as file:
        file.write(lines)


async def _asked(daemon: Daemon, path: str) -> None:
    """Ask, whatever the answer is."""
    with trio.move_on_after(6):
        await daemon.client.get(f"{daemon.url}{path}")


async def _stored(daemon: Daemon) -> None:
    while True:
        with closing(sqlite3.connect(f"file:{daemon.home.database}?mode=ro", uri=True)) as database:
            if database.execute("SELECT count(*) FROM entries").fetchone()[0] >= 2:
                return
        await trio.sleep(0.1)


async def _unnamed(cell: Cell, daemon: Daemon) -> list[str]:
    """Return where the plugin is not named."""
    if cell.role == "cache":  # it is asked only while nothing is stored
        await _asked(daemon, "/api/conversations")
    code = "PLUGIN_BLOCKED" if cell.stops else ""
    metrics = str((await daemon.logged("listening too"))["url"]).rstrip("/")
    found = [] if any(_is_complaint(said) for said in daemon.stderr) else ["not named in the log"]
    if cell.place == "role:auth":  # nobody may read more than that
        degraded = (await daemon.get("/health"))["data"]["status"] == "degraded"
        return found if degraded else [*found, "/health does not say that something is amiss"]
    if cell.place != "role:middleware" or cell.stops:
        reasons = [
            reason
            for reason in (await daemon.get("/health"))["data"]["details"]["reasons"]
            if "chaos" in reason["service"] + reason["text"] and code in reason["code"]
        ]
        found += [] if reasons else ["not named in /health"]
    text = (await daemon.client.get(f"{metrics}/metrics")).text
    counted = any(f'plugin="{cell.name}"' in each and not each.endswith(" 0.0") for each in _errors(text))
    return found if counted else [*found, "not named in /metrics"]


def _is_complaint(said: str) -> bool:
    try:
        fields: dict[str, Any] = json.loads(said)
    except ValueError:
        return False
    return fields.get("level") in {"warning", "error", "critical"} and "chaos" in said


def _errors(text: str) -> Iterator[str]:
    return (each for each in text.splitlines() if each.startswith("ccod_plugin_errors_total{"))


async def run(chosen: Sequence[Cell], folder: Path, at_once: int) -> dict[Cell, list[str]]:
    """Try cells, some at a time."""
    outcomes: dict[Cell, list[str]] = {}
    rest = iter(enumerate(cell for cell in chosen if not cell.reason_not))

    async def work() -> None:
        for number, cell in rest:
            began = time.monotonic()
            with trio.move_on_after(SECONDS) as scope:
                try:
                    outcomes[cell] = await violations(cell, folder / str(number))
                except Exception as error:  # noqa: BLE001
                    outcomes[cell] = [f"{type(error).__name__}: {one_line(error)}"]
            if scope.cancelled_caught:
                outcomes[cell] = [f"not done in {SECONDS} s"]
            verdict = "; ".join(outcomes[cell]) or "held"
            print(f"{cell.place:28}{cell.deed:18}{time.monotonic() - began:6.1f} s  {verdict}", flush=True)

    async with trio.open_nursery() as nursery:
        for _ in range(at_once):
            nursery.start_soon(work)
    return outcomes


def show(outcomes: dict[Cell, list[str]], chosen: Sequence[Cell]) -> None:
    deeds = list(make.DEEDS)
    print(f"\n{'':27}" + "".join(f"{deed.rpartition(' ')[2]:>10}" for deed in deeds))
    for place in dict.fromkeys(cell.place for cell in chosen if cell.place != "whole"):
        words = [_word(Cell(place, deed), outcomes) for deed in deeds]
        print(f"{place:27}" + "".join(f"{word:>10}" for word in words))
    print()
    for cell in chosen:
        if cell.place == "whole":
            print(f"{'whole: ' + cell.deed:37}{_word(cell, outcomes)}")
    print()
    for cell in chosen:
        if cell.reason_not:
            print(f"n/a {cell.place + ' ' + cell.deed:42}{cell.reason_not}")
    counts = Counter(_word(cell, outcomes) for cell in chosen)
    print("\n" + ", ".join(f"{count} {word}" for word, count in counts.most_common()))


def _word(cell: Cell, outcomes: dict[Cell, list[str]]) -> str:
    if cell.reason_not:
        return "n/a"
    return "-" if cell not in outcomes else "FAILED" if outcomes[cell] else "held"


def sample(chosen: list[Cell], count: int, seed: int) -> list[Cell]:
    """Return some cells in their order."""
    return sorted(random.Random(seed).sample(chosen, count), key=chosen.index)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.chaos", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="cells that begin so, as role:parser or 'role:parser hang'")
    parser.add_argument("--count", type=int, default=0, help="so many cells, chosen at random; without it all")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--at-once", type=int, default=2, help="so many cells at a time")
    arguments = parser.parse_args()
    chosen = [cell for cell in cells() if f"{cell.place} {cell.deed}".startswith(arguments.only)]
    possible = [cell for cell in chosen if not cell.reason_not]
    if 0 < arguments.count < len(possible):
        print(f"seed {arguments.seed}")
        chosen = sample(possible, arguments.count, arguments.seed)
    sys.modules[ending.__module__].__dict__["START_SECONDS"] = START_SECONDS  # `ccod.testing.daemon` is a fixture, too
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        outcomes = trio.run(run, chosen, Path(folder), arguments.at_once)
    show(outcomes, chosen)
    return 1 if any(outcomes.values()) or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
