"""A daemon that asks for names and passwords instead of keeping accounts, by configuration alone."""

from __future__ import annotations

from pathlib import Path

import bcrypt
import httpx

from tests.e2e.daemon import open_daemon, run_ccod
from tests.e2e.home import Tables


def passwords(path: Path) -> Path:
    file = path / "htpasswd"
    kept = bcrypt.hashpw(b"lovelace", bcrypt.gensalt(4)).replace(b"$2b$", b"$2y$")
    file.write_bytes(b"ada:" + kept + b"\nbob:" + kept + b"\n")
    file.chmod(0o600)
    return file


async def test_passwords_let_in_and_accounts_are_gone(tmp_path: Path) -> None:
    tables: Tables = {
        "basic": {"file": str(passwords(tmp_path)), "admins": ["ada"]},
        "http": {"access": "login", "socket": str(tmp_path / "ccod.sock")},
    }
    async with open_daemon(tmp_path, tables, start=False) as daemon:
        daemon.home.variables["CCOD_AUTH"] = "basic"
        await daemon.start()
        async with httpx.AsyncClient(base_url=daemon.url, trust_env=False) as client:
            stranger = await client.get("/api/projects")
            assert stranger.status_code == 401
            assert stranger.headers["WWW-Authenticate"] == 'Basic realm="ccod", charset="UTF-8"'
            ada, bob = httpx.BasicAuth("ada", "lovelace"), httpx.BasicAuth("bob", "lovelace")
            assert (await client.get("/api/projects", auth=ada)).status_code == 200
            assert (await client.get("/api/projects", auth=httpx.BasicAuth("ada", "x"))).status_code == 401
            assert (await client.get("/api/projects", headers={"Authorization": "Bearer x"})).status_code == 401
            assert (await client.post("/api/reload", auth=bob)).status_code == 403
            assert (await client.post("/api/reload", auth=ada)).status_code == 200
            foreign = {"Origin": "http://localhost:5173"}
            assert (await client.get("/api/projects", auth=ada, headers=foreign)).status_code == 401
            ticket = (await client.post("/api/websocket/ticket", auth=bob)).json()["data"]["ticket"]
            assert ticket
            for path in ("/auth/login", "/auth/register"):
                answer = await client.post(path, json={"email": "a@example.org", "password": "lovelace"})
                assert answer.status_code == 404
            code, said = await run_ccod(daemon.home, "user", "list", "--config", str(daemon.home.config))
            assert (code, "no plugin in use has such a route" in said) == (1, True)
            document = (await client.get("/openapi.json")).json()
            assert not any(path.startswith(("/auth/", "/api/users", "/api/keys")) for path in document["paths"])
            assert document["components"]["securitySchemes"]["basic"]["scheme"] == "basic"


async def test_without_a_login_the_owner_reads_as_ever(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, {"basic": {"file": str(passwords(tmp_path))}}, start=False) as daemon:
        daemon.home.variables["CCOD_AUTH"] = "basic"
        await daemon.start()
        assert await daemon.status("/api/projects") == 200
        assert await daemon.status("/api/projects", Authorization="Basic eDp5") == 401


async def test_without_a_file_the_daemon_says_what_to_do(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, start=False) as daemon:
        code, said = await run_ccod(daemon.home, "serve", "--config", str(daemon.home.config), CCOD_AUTH="basic")
        assert code == 78
        assert "[basic] file: name a htpasswd file" in said
