"""`ccod restore`, `reparse`, `forget` and `doctor` against a real daemon."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.e2e.daemon import CCOD, Daemon, open_daemon
from tests.e2e.database import opened
from tests.e2e.lines import SESSION, answer, line

MAIN = b"".join(line(f"prompt {number}") + answer(f"answer {number}") for number in range(40)) + b'{"cut\n'
BESIDE = {
    "subagents/workflows/w/journal.jsonl": b'{"type":"started","key":"v1"}\n{"type":"res',
    "tool-results/toolu_1.json": b'[{"type":"text","text":"all of it"}]',
}
AGENT = line("task", isSidechain=True, agentId="a1") + answer("done", isSidechain=True, agentId="a1")


@pytest.fixture
async def keeper(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with open_daemon(tmp_path, {"http": {"socket": str(tmp_path / "s" / "ccod.sock")}}) as running:
        yield running


async def ccod(daemon: Daemon, *arguments: str, code: int = 0) -> str:
    """Run a command beside the daemon; return what it printed, on stderr where it fails."""
    with trio.fail_after(60):
        done = await trio.run_process(
            [str(CCOD), "--config", str(daemon.home.config), *arguments],
            stdin=subprocess.DEVNULL,
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            cwd=daemon.home.path,
            env=daemon.home.environment,
        )
    assert done.returncode == code, (arguments, done)
    return (done.stderr if code else done.stdout).decode()


def write(daemon: Daemon, session: str, main: bytes, agent: bytes = b"") -> None:
    folder = daemon.home.root / "-home-dev-demo"
    (folder / session / "subagents").mkdir(parents=True, exist_ok=True)
    if agent:
        (folder / session / "subagents" / "agent-a1.jsonl").write_bytes(agent)
    with (folder / f"{session}.jsonl").open("ab") as file:
        file.write(main)


async def archived(daemon: Daemon, session: str, sizes: set[int]) -> None:
    """Wait until so many bytes of each stream are kept."""
    statement = "SELECT position FROM streams WHERE key LIKE ?"
    with trio.fail_after(20), opened(daemon.home) as database:
        while {size for (size,) in database.execute(statement, (f"%{session}%",))} != sizes:
            await trio.sleep(0.02)


async def test_deleted_files_come_back_byte_for_byte(keeper: Daemon, tmp_path: Path) -> None:
    write(keeper, SESSION, MAIN[:5000])
    await archived(keeper, SESSION, {MAIN[:5000].rfind(b"\n") + 1})
    write(keeper, SESSION, MAIN[5000:], AGENT)
    for name, body in BESIDE.items():
        (path := keeper.home.root / "-home-dev-demo" / SESSION / name).parent.mkdir(parents=True)
        path.write_bytes(body)
    await archived(keeper, SESSION, {len(MAIN), len(AGENT), *map(len, BESIDE.values())})
    shutil.rmtree(keeper.home.root / "-home-dev-demo")
    await keeper.restart()

    said = await ccod(keeper, "restore", SESSION)
    folder = keeper.home.path / SESSION
    assert (folder / f"{SESSION}.jsonl").read_bytes() == MAIN
    assert (folder / SESSION / "subagents" / "agent-a1.jsonl").read_bytes() == AGENT
    assert {name: (folder / SESSION / name).read_bytes() for name in BESIDE} == BESIDE
    assert len([*folder.rglob("*.*")]) == 2 + len(BESIDE)
    assert hashlib.sha256(MAIN).hexdigest() in said
    assert str(len(MAIN)) in said

    assert "--force" in await ccod(keeper, "restore", SESSION, code=1)
    below = str(keeper.home.root / "x")
    assert "only reads" in await ccod(keeper, "restore", SESSION, "--to", below, code=1)
    assert not (keeper.home.root / "x").exists()
    await ccod(keeper, "reparse", "--conversation", SESSION)
    doctor = json.loads(await ccod(keeper, "doctor", "--json"))
    (damaged,) = [each["text"] for each in doctor["findings"] if each["code"] == "quarantine"]
    assert f"at {len(MAIN) - 6}, " in damaged


async def test_what_a_file_held_before_it_was_rewritten_is_restored_on_demand(keeper: Daemon, tmp_path: Path) -> None:
    write(keeper, SESSION, MAIN)
    await archived(keeper, SESSION, {len(MAIN)})
    file = keeper.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
    second = line("another beginning")
    file.write_bytes(second)
    await archived(keeper, SESSION, {len(MAIN), len(second)})
    await ccod(keeper, "restore", SESSION, "--to", str(tmp_path / "new"))
    assert [path.read_bytes() for path in (tmp_path / "new").iterdir()] == [second]
    await ccod(keeper, "restore", SESSION, "--to", str(tmp_path / "all"), "--all")
    assert {path.read_bytes() for path in (tmp_path / "all").iterdir()} == {MAIN, second}


async def test_the_forgotten_stays_forgotten(keeper: Daemon) -> None:
    write(keeper, SESSION, MAIN, AGENT)
    await archived(keeper, SESSION, {len(MAIN), len(AGENT)})
    await ccod(keeper, "forget", SESSION, code=130)  # nobody there to say yes
    async with keeper.websocket("conversations") as listener:
        assert "forgot conversation" in await ccod(keeper, "forget", SESSION, "--yes")
        assert (await listener.event("conversation_forgotten"))["conversationId"] == SESSION
    write(keeper, SESSION, line("more"))
    other = SESSION.replace("0", "1")
    write(keeper, other, line("another"))
    await archived(keeper, other, {len(line("another"))})
    await keeper.restart()
    assert [each["id"] for each in await keeper.items("/api/conversations")] == [other]
    (project,) = await keeper.items("/api/projects")
    await ccod(keeper, "forget", project["id"], "--yes")
    assert await keeper.items("/api/projects") == []
    assert (keeper.home.root / "-home-dev-demo" / f"{SESSION}.jsonl").stat().st_size > len(MAIN)


async def test_a_daemon_that_is_down_is_named(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, {"http": {"port": 9}}, start=False) as daemon:
        assert "no daemon answers" in await ccod(daemon, "usage", "daily", code=69)
