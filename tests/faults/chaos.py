"""A plugin that misbehaves in every place where a plugin can, one daemon for each: who else is served, who is named?

python -m tests.faults.chaos
python -m tests.faults.chaos --only role:parser
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import trio
from msgspec import Struct

from ccod.testing.daemon import CCOD
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import SESSION, answer, line
from tests.faults import chaos_plugins as make

ONCE = "a hook is asked once, in the main thread: see hang"
UNUSED = "its answer is not looked at"
EXCLUSIVE = ("storage", "auth", "prices", "cache")
NOT = {
    **{(f"hook:{hook}", "block"): ONCE for hook in make.HOOKS},
    **{(f"hook:{hook}", deed): UNUSED for hook in ("ccod_add_hooks", "ccod_commands") for deed in ("junk", "flood")},
    ("hook:ccod_settings", "flood"): "its answer is one class: see junk",
    **{(f"hook:ccod_{role}", "flood"): "its answer is one object: see junk" for role in EXCLUSIVE},
    ("role:prices", "flood"): "it is asked, and sends nothing",
    ("role:cache", "flood"): "it is asked, and sends nothing",
    ("role:auth", "flood"): "it is asked, and sends nothing",
    ("role:middleware", "flood"): "it is asked, and sends nothing",
    ("role:route", "flood"): "who asks it is under a quota",
    ("role:sink", "flood"): "it receives, and sends nothing",
    ("role:transport", "flood"): "it sends to outside only",
    ("role:sink", "junk"): UNUSED,
    ("role:source", "junk"): "what it returns is not looked at: it ends, and is named as stopped",
    ("role:source", "hang"): "a source that has nothing to send looks the same",
    ("role:transport", "hang"): "a transport that nobody asks looks the same",
    ("role:route", "hang"): "only who asked it waits",
    ("role:route", "junk"): "only who asked it is answered so",
    ("role:route", "raise"): "only who asked it is answered 500",
    ("role:route", "exit"): "only who asked it is answered 500",
}
STOPS = {"block", "spin"}
"""What holds the event loop, so that the process ends, is started again, and leaves the plugin out."""
SECONDS = 90


class Cell(Struct, frozen=True):
    place: str
    deed: str

    @property
    def reason_not(self) -> str:
        return NOT.get((self.place, self.deed), "")

    @property
    def code(self) -> str:
        kind, _, name = self.place.partition(":")
        if kind == "hook":
            return make.at_hook(name, self.deed)
        return {"import": make.AT_IMPORT, "hang at import": make.HANGS_AT_IMPORT, "never ends": make.DEAF}.get(
            self.deed
        ) or make.as_role(name, self.deed, ready=self.deed != "never ready")

    @property
    def role(self) -> str:
        """The role for which the plugin has to be chosen."""
        name = self.place.partition(":")[2].removeprefix("ccod_")
        return name if name in EXCLUSIVE else ""


def cells() -> list[Cell]:
    hooks = [Cell(f"hook:{hook}", deed) for hook in make.HOOKS for deed in make.DEEDS]
    roles = [Cell(f"role:{role}", deed) for role in make.ROLES for deed in make.DEEDS]
    whole = [Cell("whole", deed) for deed in ("import", "hang at import", "never ends")]
    return [*hooks, *roles, *whole]


def install(daemon: Daemon, cell: Cell) -> None:
    folder = daemon.home.path / "one-file"
    folder.mkdir(mode=0o755)
    plugins = {"a_hasty": make.HASTY, "chaos": cell.code, "good": make.GOOD}
    for name, code in plugins.items():
        (folder / f"{name}.py").write_text(code)
        (folder / f"{name}.py").chmod(0o644)
    settings: dict[str, object] = {"plugins_dir": str(folder)}
    if cell.role:
        settings[cell.role] = "chaos"
    text = daemon.home.config.read_text()
    daemon.home.config.write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()) + text)


async def violations(cell: Cell, path: Path) -> list[str]:
    """Try one cell; return what went otherwise than it should."""
    async with open_daemon(path, start=False) as daemon:
        install(daemon, cell)
        if cell.place in {"hook:ccod_checks", "hook:ccod_commands"}:
            said = await _printed(daemon)
            return [] if "chaos" in said else ["not named by ccod doctor"]
        if cell.place.startswith("hook:") and cell.role:
            await daemon.spawn()
            code = await daemon.wait(30)
            named = any("chaos" in said for said in daemon.stderr)
            return [*([] if code == 78 else [f"exit {code} instead of 78"]), *([] if named else ["not named"])]
        return [violation async for violation in _running(cell, daemon)]


async def _printed(daemon: Daemon) -> str:
    done = await trio.run_process(
        [*CCOD, "doctor", "--json", "--config", str(daemon.home.config)],
        capture_stdout=True,
        capture_stderr=True,
        check=False,
        env=daemon.home.environment,
    )
    return (done.stdout + done.stderr).decode()


async def _running(cell: Cell, daemon: Daemon) -> AsyncIterator[str]:
    stopped = False
    served: list[str] = []
    for _ in range(3):
        try:
            await daemon.start()
            served = await _served(cell, daemon)
        except Exception as error:  # noqa: BLE001
            with trio.move_on_after(20 if cell.deed in STOPS else 1):
                await daemon.process.wait()
            if daemon.process.returncode is None:
                yield f"it does not serve: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
                return
            stopped = True
            if daemon.process.returncode not in {70, -27}:
                yield f"exit {daemon.process.returncode}"
            continue
        if served or daemon.process.returncode is None:
            break
    for violation in served:
        yield violation
    if stopped and cell.deed not in STOPS:
        yield "it had to be started again"
    if daemon.process.returncode is None:
        code = await daemon.terminate()
        if code not in {0, 1}:
            yield f"exit {code} at the end"
    if cell.deed == "never ends" and not any("chaos" in said for said in daemon.stderr):
        yield "not named at the end"


async def _served(cell: Cell, daemon: Daemon) -> list[str]:
    """Write lines and see them come out; tell what does not, and whether the log, health and metrics name it."""
    found = []
    daemon.home.root.joinpath("-home-dev-demo").mkdir(exist_ok=True)
    transcript = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
    blind = cell.role == "auth" or cell.place == "role:middleware"
    with trio.fail_after(15):
        _write(transcript, line("one") + answer("two"))
        if blind:
            await _asked(daemon)
            await _stored(daemon)
        else:
            async with daemon.websocket("conversations") as listener:
                _write(transcript, line("three"))
                await listener.event("message_added", 8)
            while not await daemon.items("/api/conversations"):
                await trio.sleep(0.05)
            await daemon.get("/api/good")
            if cell.place == "role:route":
                with trio.move_on_after(1):
                    await daemon.client.get(f"{daemon.url}/api/chaos")
    if cell.deed == "never ends":
        return []
    with trio.move_on_after(12) as scope:
        while found := await _unnamed(daemon, blind=blind):
            await trio.sleep(0.1)
    return found if scope.cancelled_caught else []


def _write(path: Path, lines: bytes) -> None:
    with path.open("ab") as file:
        file.write(lines)


async def _asked(daemon: Daemon) -> None:
    with trio.move_on_after(3):
        await daemon.client.get(f"{daemon.url}/api/conversations")


async def _stored(daemon: Daemon) -> None:
    while True:
        with closing(sqlite3.connect(f"file:{daemon.home.database}?mode=ro", uri=True)) as database:
            if database.execute("SELECT count(*) FROM entries").fetchone()[0] >= 2:
                return
        await trio.sleep(0.1)


async def _unnamed(daemon: Daemon, *, blind: bool) -> list[str]:
    """Return where the plugin is not named."""
    metrics = str((await daemon.logged("listening too"))["url"]).rstrip("/")
    found = [] if any("chaos" in said and '"level"' in said for said in daemon.stderr) else ["not named in the log"]
    if blind:
        return found
    health = await daemon.get("/health")
    reasons = [
        reason for reason in health["data"]["details"]["reasons"] if "chaos" in reason["service"] + reason["text"]
    ]
    found += [] if reasons else ["not named in /health"]
    text = (await daemon.client.get(f"{metrics}/metrics")).text
    counted = any('plugin="chaos"' in each and not each.endswith(" 0.0") for each in _errors(text))
    return found if counted else [*found, "not named in /metrics"]


def _errors(text: str) -> Iterator[str]:
    return (each for each in text.splitlines() if each.startswith("ccod_plugin_errors_total{"))


async def run(chosen: list[Cell], folder: Path) -> dict[Cell, list[str]]:
    outcomes: dict[Cell, list[str]] = {}
    for number, cell in enumerate(chosen):
        if cell.reason_not:
            continue
        began = time.monotonic()
        with trio.move_on_after(SECONDS) as scope:
            outcomes[cell] = await violations(cell, folder / str(number))
        if scope.cancelled_caught:
            outcomes[cell] = [f"not done in {SECONDS} s"]
        verdict = "; ".join(outcomes[cell]) or "held"
        print(f"{cell.place:28}{cell.deed:16}{time.monotonic() - began:6.1f} s  {verdict}", flush=True)
    return outcomes


def matrix(outcomes: dict[Cell, list[str]]) -> None:
    deeds = list(make.DEEDS)
    print(f"\n{'':28}" + "".join(f"{deed:8}" for deed in deeds))
    for place in dict.fromkeys(cell.place for cell in cells() if cell.place != "whole"):
        words = [_word(Cell(place, deed), outcomes) for deed in deeds]
        print(f"{place:28}" + "".join(f"{word:8}" for word in words))
    print(Counter(_word(cell, outcomes) for cell in cells()))
    for cell in cells():
        if cell.reason_not:
            print(f"n/a {cell.place} {cell.deed}: {cell.reason_not}")


def _word(cell: Cell, outcomes: dict[Cell, list[str]]) -> str:
    if cell.reason_not:
        return "n/a"
    return "-" if cell not in outcomes else "FAILED" if outcomes[cell] else "held"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.chaos", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="cells that begin so, as role:parser or 'role:parser hang'")
    only = parser.parse_args().only
    chosen = [cell for cell in cells() if f"{cell.place} {cell.deed}".startswith(only)]
    with tempfile.TemporaryDirectory(prefix="ccod-chaos-") as folder:
        outcomes = trio.run(run, chosen, Path(folder))
    matrix(outcomes)
    return 1 if any(outcomes.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
