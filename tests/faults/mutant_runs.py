"""Runs tests in forks of one warm process, on a source that is changed only there."""

from __future__ import annotations

import ctypes
import importlib
import os
import resource
import select
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Literal

import hypothesis
import msgspec
import pytest
from msgspec import Struct

from tests.faults.mutating import Mutant

Outcome = Literal["killed", "timeout", "survived"]

BUDGET_SECONDS = 45.0
"""Of the tests that call a changed function as many run as take no longer than this together."""

PATIENCE = 6
SLACK_SECONDS = 20.0
"""A run that takes so many times as long as it should, and so many seconds more, hangs."""

BASELINE_SECONDS = 1800.0
MEMORY_BYTES = 8 * 1024**3

HEAVY = (
    *(
        "alembic.command",
        "bcrypt",
        "click",
        "httpx",
        "hypercorn.trio",
        "hypothesis.strategies",
        "jwt",
        "pytest_timeout",
    ),
    *("prometheus_client", "pytest_trio", "quart_trio", "rich.console", "sqlalchemy.dialects.sqlite", "structlog"),
    *("trio.testing", "trio_websocket", "watchfiles", "zstandard"),
)
"""What tests import that is not ours."""

REWRITTEN = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
"""The plugins of pytest are imported already, and need not be rewritten."""

OPTIONS = ["-q", "-n", "0", "--no-header", "--hypothesis-profile=mutants", *REWRITTEN]
PASSED, FAILED, NOTHING_RUN = 0, 1, 5
PR_SET_PDEATHSIG = 1


class Test(Struct, frozen=True):
    """How long a test takes, and the functions that it calls, each by its file and the line on which it begins."""

    seconds: float
    calls: set[tuple[str, int]]


class Observer:
    """A plugin of pytest: sees which tests pass, and which functions of some files each calls in whatever thread."""

    def __init__(self, files: Collection[str]) -> None:
        self.tests: dict[str, Test] = {}
        self.failed: set[str] = set()
        self._files = files
        self._calls: set[tuple[str, int]] = set()
        self._imports: set[tuple[str, int]] = set()

    def _see(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename in self._files:
            self._calls.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)

    def pytest_sessionstart(self) -> None:
        threading.setprofile(self._see)
        sys.setprofile(self._see)

    def pytest_collection_finish(self) -> None:
        self._imports = self._calls

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._calls = set()
        began = time.perf_counter()
        done = yield
        seconds, used = time.perf_counter() - began, {path for path, _ in self._calls}
        at_import = {call for call in self._imports if call[0] in used}  # counts for whoever uses the file
        self.tests[item.nodeid] = Test(seconds, self._calls | at_import)
        return done


class Chooser:
    """A plugin of pytest: runs some tests only, in their order."""

    def __init__(self, tests: Collection[str]) -> None:
        self._places = {name: place for place, name in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self._places), key=lambda i: self._places[i.nodeid])


class MutantLoader(SourceFileLoader):
    """Loads a module whose source is changed."""

    def __init__(self, name: str, mutant: Mutant) -> None:
        super().__init__(name, str(mutant.path))
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:
        return self._mutant.code()


class MutantFinder:
    """Finds modules as ever, and has the one that is changed loaded by its own loader."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.rpartition(".")[2] not in {self._mutant.path.stem, self._mutant.path.parent.name}:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin != str(self._mutant.path):
            return None
        spec.loader = MutantLoader(name, self._mutant)
        return spec


def warm_up() -> None:
    """Import what all tests need, once; but nothing of ours, since any of it may be changed."""
    for name in HEAVY:
        importlib.import_module(name)
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]  # that one fails is enough, however large
    hypothesis.settings.register_profile("mutants", database=None, deadline=None, max_examples=30, phases=phases)
    ours = [name for name in sys.modules if name.startswith("ccod")]
    assert not ours, f"{ours} are imported already"


def baseline(tests: Sequence[Path], sources: Sequence[Path], folder: Path, seed: int) -> dict[str, Test]:
    """Run all of some tests on the true source; return by its id what each does that passes."""
    observer = Observer({str(path) for path in sources})
    seen, said = folder / "seen", folder / "said"

    def run() -> int:
        code = int(pytest.main([*OPTIONS, *_scene(folder, seed), *map(str, tests)], plugins=[observer]))
        passed = {name: test for name, test in observer.tests.items() if name not in observer.failed}
        seen.write_bytes(msgspec.json.encode(passed))
        return code

    code = _forked(run, BASELINE_SECONDS, folder, said)
    if code != PASSED:  # one that depends on how busy the machine is must not end hours of work
        print(f"tests fail although nothing is changed, and are left out:\n{said.read_text()[-2000:]}", flush=True)
    if code not in {PASSED, FAILED}:
        raise SystemExit("the tests cannot be run")
    return msgspec.json.decode(seen.read_bytes(), type=dict[str, Test])


def covering(mutant: Mutant, tests: Mapping[str, Test]) -> dict[str, Test]:
    """Return the tests that should notice a mutant: those that bear the name of its file first, then the quickest.

    For a mutant in no function those are all that call any function of its file. Where nothing of the file can be
    called, as in one that only declares, they are all there are.
    """
    path = str(mutant.path)
    calling = {name: test for name, test in tests.items() if any(path == at for at, _ in test.calls)}
    if mutant.function:
        calling = {name: test for name, test in calling.items() if (path, mutant.function) in test.calls}
    found, seconds = dict[str, Test](), 0.0
    chosen = calling or ({} if mutant.function else tests)
    for name, test in sorted(chosen.items(), key=lambda item: (not _is_named_after(item[0], mutant), item[1].seconds)):
        seconds += test.seconds
        if found and seconds > BUDGET_SECONDS:
            break
        found[name] = test
    return found


def _is_named_after(test: str, mutant: Mutant) -> bool:
    return test.partition("::")[0].endswith(f"_{mutant.path.stem}.py")


def try_mutant(mutant: Mutant, tests: Mapping[str, Test], folder: Path, seed: int) -> Outcome:
    """Run these tests on the changed source."""
    files = dict.fromkeys(name.partition("::")[0] for name in tests)

    def run() -> int:
        sys.meta_path.insert(0, MutantFinder(mutant))
        return int(pytest.main([*OPTIONS, "-x", *_scene(folder, seed), *files], plugins=[Chooser(tests)]))

    if not tests:
        return "survived"
    limit = PATIENCE * sum(test.seconds for test in tests.values()) + SLACK_SECONDS
    code = _forked(run, limit, folder, folder / "said")
    assert code != NOTHING_RUN, f"none of {[*tests]} ran"
    return "timeout" if code is None else "survived" if code == PASSED else "killed"


def _scene(folder: Path, seed: int) -> list[str]:
    return [f"--basetemp={folder / 'tests'}", f"--hypothesis-seed={seed}"]


def _forked(run: Callable[[], int], seconds: float, folder: Path, said: Path) -> int | None:
    """Return what `run` returns in a fork, something else if it dies; None if it has not returned in time."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            _settle(said)
            code = run()
        except BaseException:  # noqa: BLE001 - a fork has nobody else to tell
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    descriptor = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    in_time = bool(poll.poll(1000 * seconds))
    os.close(descriptor)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # and what it started
    _, status = os.waitpid(pid, 0)
    shutil.rmtree(folder / "tests", ignore_errors=True)
    return os.waitstatus_to_exitcode(status) if in_time else None


def _settle(said: Path) -> None:
    """Make a fork a process of its own, that writes what it says into a file, and dies with the one it is of."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for standard in (1, 2):
        os.dup2(out, standard)
    sys.dont_write_bytecode = True
