"""The examples of docs/plugins in a real daemon, and the steps of the tutorial, one after the other."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import sysconfig
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from ccod.testing.waiting import eventually
from tests.e2e.daemon import open_daemon, run_ccod
from tests.guide import GUIDE, example, examples

if not GUIDE.is_dir():
    pytest.skip("the guide is in the source tree", allow_module_level=True)

DEPRECATING = """
from ccod import hookimpl, hookspec

class Specs:
    @hookspec(warn_on_impl=DeprecationWarning("answer ccod_hues instead; it goes in 2.0"))
    def ccod_colours(self): ...

@hookimpl
def ccod_add_hooks(manager):
    manager.add_hookspecs(Specs)

@hookimpl
def ccod_colours():
    return ["red"]
"""


async def test_all_examples_run_in_one_daemon(tmp_path: Path) -> None:
    tables: dict[str, dict[str, Any]] = {"tick": {"every": 0.05}, "greet": {"words": "Moin."}}
    async with open_daemon(tmp_path, tables, start=False) as daemon:
        daemon.home.variables |= {"CCOD_PRICES": "flat", "CCOD_CACHE": "box", "CCOD_AUTH": "guest"}
        for plugin in examples():
            daemon.home.install(plugin, example(plugin))
        daemon.home.install("paint", DEPRECATING)
        await daemon.start()
        plugins = {each["name"]: each for each in (await daemon.get("/api/plugins"))["data"]}
        assert {plugin: plugins[plugin]["state"] for plugin in examples()} == dict.fromkeys(examples(), "loaded")
        assert (await daemon.logged("dinner"))["dishes"] == {"dinner": ["soup"]}
        assert (await daemon.logged("greeting"))["words"] == "Moin."
        deprecated = await daemon.logged("plugin_deprecated")
        assert (deprecated["plugin"], deprecated["level"]) == ("paint", "warning")
        assert deprecated["problem"] == "ccod_colours is deprecated: answer ccod_hues instead; it goes in 2.0"
        assert not [line for line in daemon.stderr if "DeprecationWarning" in line]

        async def is_stored() -> bool:
            return bool((await daemon.get("/api/conversations"))["data"])

        await eventually(is_stored, "ticks in the storage")
        analytics = (await daemon.get("/api/conversations/ticks/analytics"))["data"]
        assert analytics["plugins"]["pace"].keys() == {"messagesPerHour"}
        assert "pricelist" not in analytics["plugins"]
        schemas = (await daemon.get("/openapi.json"))["components"]["schemas"]
        assert "messagesPerHour" in schemas["PaceJson"]["properties"]
        health = await daemon.get("/health")
        assert "degraded" not in str(health)
        config = ("--config", str(daemon.home.config))
        code, said = await run_ccod(daemon.home, "hello", *config)
        assert (code, said) == (0, "")


def steps() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", (GUIDE / "tutorial.md").read_text(), re.DOTALL)


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", (GUIDE / "tutorial.md").read_text(), re.DOTALL)


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Make an environment to install into, which sees what this one has, with a `ccod` of its own."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (site,) = (venv / "lib").glob("*/site-packages")
    (site / "here.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    ccod = venv / "bin" / "ccod"
    ccod.write_text(f'#!/bin/sh\nexec {shlex.quote(str(venv))}/bin/python {shlex.join(CCOD_CODE)} "$@"\n')
    ccod.chmod(0o755)
    return venv


HERE = {
    "python -m pip": " --no-build-isolation --quiet",
    "python -m pytest": " -p no:cacheprovider -p no:schemathesis -p no:xdist",
    "python -m build": " --no-isolation",  # what would be downloaded is installed here
}
CCOD_CODE = ["-c", "import sys; from ccod.start import main; sys.exit(main())"]


async def test_the_steps_of_the_tutorial(tmp_path: Path, bench: Path) -> None:
    work = tmp_path / "work"
    (work / "plugins").mkdir(parents=True, mode=0o755)
    plugin, test = blocks()
    (work / "plugins" / "bell.py").write_text(plugin)
    environment = {
        "PATH": f"{bench / 'bin'}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "PORT": "0",
        "PIP_NO_INDEX": "1",
        "CCOD_LOG__FORMAT": "json",
        "CCOD_METRICS__ENABLED": "false",
    }
    run = partial(
        trio.run_process, cwd=work, env=environment, capture_stdout=True, stderr=subprocess.STDOUT, check=False
    )
    said: dict[str, str] = {}
    for step in steps():
        for command in step.splitlines():
            if command.startswith("ccod serve"):
                await serves(command, work, environment)
                continue
            if command.startswith("python -m pytest"):
                (work / "ccod-bell" / "tests" / "test_bell.py").write_text(test)
            more = next((words for start, words in HERE.items() if command.startswith(start)), "")
            words = shlex.split(command + more)
            done = await run([word for word in words if word != "-e"])  # hatchling would need one package more for it
            said[command] = done.stdout.decode()
            assert done.returncode == 0, f"{command}\n{said[command]}"
    assert "[bell]" in said["ccod plugins --plugins-dir plugins"]
    assert re.search(r"^bell +ccod-bell +0\.1\.0 +loaded", said["ccod plugins"], re.MULTILINE)
    assert "6 passed" in next(text for command, text in said.items() if "pytest" in command)


async def serves(command: str, work: Path, environment: dict[str, str]) -> None:
    """Let a daemon run until it is ready and its sink too, and end it."""
    run = partial(trio.run_process, shlex.split(command), cwd=work, env=environment, stderr=subprocess.PIPE)
    async with trio.open_nursery() as nursery:
        process = await nursery.start(run)
        with trio.fail_after(30):
            heard = b""
            while b'"ready"' not in heard:
                some = await process.stderr.receive_some()
                assert some, heard
                heard += some
        process.send_signal(signal.SIGTERM)
        async for _ in process.stderr:
            pass
