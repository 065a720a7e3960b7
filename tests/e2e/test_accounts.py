"""Accounts of a real daemon: by the command line, over kills, with files for the owner alone."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import trio

from ccod.testing.daemon import START_SECONDS
from ccod.testing.waiting import limit
from tests.e2e.daemon import CCOD, Daemon, open_daemon, run_ccod
from tests.e2e.home import Home, Tables

PASSWORD = "four plain words together"


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    tables: Tables = {"http": {"socket": str(tmp_path / "ccod.sock")}, "jwt": {"bcrypt_rounds": 4}}
    before = os.umask(0o000)
    try:
        async with open_daemon(tmp_path, tables) as running:
            yield running
    finally:
        os.umask(before)


async def ccod(daemon: Daemon, *arguments: str, said: str = "") -> tuple[int, str, str]:
    """Run a command that is told something; return its exit code, and what it said on stdout and stderr."""
    home = daemon.home
    with limit(START_SECONDS, f"exit of ccod {arguments[0]}"):
        done = await trio.run_process(
            [str(CCOD), *arguments, "--config", str(home.config)],
            stdin=said.encode(),
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            env=home.environment,
        )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


async def log_in(daemon: Daemon, password: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=daemon.url, trust_env=False) as client:
        return await client.post("/auth/login", json={"email": "me@example.com", "password": password})


async def status(daemon: Daemon, token: str) -> int:
    async with httpx.AsyncClient(base_url=daemon.url, trust_env=False) as client:
        return (await client.get("/auth/profile", headers={"Authorization": f"Bearer {token}"})).status_code


async def test_accounts_and_keys_by_the_command_line(daemon: Daemon) -> None:
    assert (await ccod(daemon, "user", "add", "Me@Example.com", "--role", "admin", said=f"{PASSWORD}\n"))[0] == 0
    assert (await ccod(daemon, "user", "add", "you@example.com", said=PASSWORD))[0] == 0
    assert await ccod(daemon, "user", "add", "them@example.com") == (
        1,
        "",
        "ccod: no password on standard input; type it on a terminal, or write it as the first line\n",
    )
    code, out, _ = await ccod(daemon, "user", "list", "--json")
    users = json.loads(out)["users"]
    assert (code, [(user["email"], user["role"]) for user in users]) == (
        0,
        [("me@example.com", "admin"), ("you@example.com", "user")],
    )
    assert "you@example.com" in (await ccod(daemon, "user", "list"))[1]
    assert (await ccod(daemon, "user", "remove", "me@example.com", "--yes"))[2].startswith(
        "ccod: That is the last admin"
    )
    assert (await ccod(daemon, "user", "role", "you@example.com", "admin"))[1] == "you@example.com is admin\n"
    assert (await ccod(daemon, "user", "remove", users[1]["id"], "--yes"))[1] == "removed you@example.com\n"
    assert (await ccod(daemon, "user", "remove", "you@example.com", "--yes"))[0] == 1

    login = (await log_in(daemon, PASSWORD)).json()["data"]
    assert (await ccod(daemon, "user", "passwd", "me@example.com", said="other words than before\n"))[0] == 0
    assert await status(daemon, login["accessToken"]) == 401
    assert (await log_in(daemon, PASSWORD)).status_code == 401
    assert (await log_in(daemon, "other words than before")).status_code == 200

    code, out, _ = await ccod(daemon, "token", "create", "laptop", "--scope", "read", "--days", "3")
    key = out.strip()
    assert await status(daemon, key) == 200
    listed = (await ccod(daemon, "token", "list", "--json"))[1]
    assert key not in listed
    assert [entry["name"] for entry in json.loads(listed)["keys"]] == ["laptop"]
    assert (await ccod(daemon, "token", "revoke", "laptop"))[1] == "revoked laptop\n"
    assert await status(daemon, key) == 401
    assert PASSWORD not in daemon.home.log.read_text()
    assert key not in daemon.home.log.read_text()


async def test_accounts_logins_and_log_outs_outlive_a_kill(daemon: Daemon) -> None:
    await ccod(daemon, "user", "add", "me@example.com", said=PASSWORD)
    kept, ended = [(await log_in(daemon, PASSWORD)).json()["data"] for _ in range(2)]
    async with httpx.AsyncClient(base_url=daemon.url, trust_env=False) as client:
        answer = await client.post("/auth/logout", headers={"Authorization": f"Bearer {ended['accessToken']}"})
        assert answer.status_code == 204
    await daemon.restart()
    assert await status(daemon, kept["accessToken"]) == 200
    assert await status(daemon, ended["accessToken"]) == 401
    assert (await log_in(daemon, PASSWORD)).status_code == 200


async def test_nobody_else_can_read_the_files_beside_the_database(daemon: Daemon) -> None:
    await ccod(daemon, "user", "add", "me@example.com", said=PASSWORD)
    assert (await log_in(daemon, PASSWORD)).status_code == 200
    folder = daemon.home.database.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert "jwt.key" in modes
    assert set(modes.values()) == {0o600}, "whatever the umask"


async def test_a_password_typed_on_a_terminal_is_not_shown(daemon: Daemon) -> None:
    def type_it() -> tuple[int, bytes]:
        ours, theirs = pty.openpty()
        command = [str(CCOD), "user", "add", "me@example.com", "--config", str(daemon.home.config)]
        process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=daemon.home.environment, start_new_session=True
        )
        os.close(theirs)
        shown, typed = b"", 0
        try:
            while part := os.read(ours, 1024):
                shown += part
                if typed < 2 and shown.count(b": ") > typed:
                    os.write(ours, PASSWORD.encode() + b"\n")
                    typed += 1
        except OSError:
            pass  # the command has ended
        os.close(ours)
        return process.wait(10), shown

    with limit(START_SECONDS, "a password on a terminal"):
        code, shown = await trio.to_thread.run_sync(type_it, abandon_on_cancel=True)
    assert code == 0, shown
    assert b"me@example.com is user" in shown
    assert PASSWORD.encode() not in shown
    assert (await log_in(daemon, PASSWORD)).status_code == 200


async def test_a_sample_secret_is_refused(tmp_path: Path) -> None:
    home, secret = Home(tmp_path), "your-production-secret-of-forty-characters"
    home.variables.pop("CCOD_JWT__SECRET", None)  # it would go before
    code, said = await run_ccod(home, "serve", "--config", str(home.config), JWT_SECRET=secret)
    assert (code, said.count("\n")) == (78, 1)
    assert said.startswith("ccod: environment: JWT_SECRET: [jwt] secret: ")
    assert secret not in said
