"""A 304 stands for the answer that would have been given, whatever is being stored."""

from __future__ import annotations

from pathlib import Path

import httpx
import trio

from tests.e2e.daemon import open_daemon
from tests.e2e.home import Home
from tests.e2e.lines import SESSION, answer, line

OTHER = "1c2d3e4f-0000-4000-8000-000000000000"
ROUTES = (
    "/api/projects",
    "/api/conversations",
    "/api/conversations?state=active",
    *(
        f"/api/conversations/{SESSION}{rest}"
        for rest in (
            "",
            "/messages",
            "/analytics",
            "/usage",
            "/entries",
            "/tool-calls",
            "/subagents",
            "/tree",
            "/attachments",
        )
    ),
    "/api/search?q=hello",
    "/api/record-types",
    "/api/quarantine",
)
STEPS = (
    (SESSION, line("hello")),
    (SESSION, answer("ls", tool="Bash")),
    (SESSION, answer("hello again")),
    (OTHER, line("hello elsewhere", session=OTHER, cwd="/home/dev/other")),
    (SESSION, b"not JSON\n"),
    (SESSION, line("a kind that nobody knows", type="novelty")),
)


class Reader:
    """A client that keeps the last answer of each address, as a browser does."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client
        self._kept: dict[str, tuple[str, bytes]] = {}
        self.reused = 0

    async def look(self, path: str) -> None:
        """Ask whether what is kept is still true, and compare with an answer that is made anew."""
        tag, body = self._kept.get(path, ("", b""))
        again = await self._client.get(self._url + path, headers={"If-None-Match": tag} if tag else {})
        fresh = await self._client.get(self._url + path)
        if again.status_code == 304:
            self.reused += 1
            assert again.headers["ETag"] == tag
            if fresh.headers.get("ETag") == tag:
                assert fresh.content == body, path
        else:
            assert again.content != body or again.headers.get("ETag") != tag, path
        if fresh.status_code == 200 and "ETag" in fresh.headers:
            self._kept[path] = fresh.headers["ETag"], fresh.content

    async def settle(self) -> None:
        """Wait until nothing more is stored: every answer is then the kept one."""
        with trio.fail_after(20):
            before = -1
            while self.reused - before < len(ROUTES):
                before = self.reused
                for path in ROUTES:
                    await self.look(path)


async def test_no_304_ever_stands_for_another_answer(tmp_path: Path) -> None:
    async with (
        open_daemon(tmp_path, {"memory": {"size": 0}}, start=False) as daemon,
        httpx.AsyncClient(trust_env=False, verify=False) as client,
    ):
        daemon.home.variables.pop("CCOD_JWT__SIGHT", None)  # who sees what is others' gets answers anew, to be noted
        await daemon.start()
        reader = Reader(daemon.url, client)
        for session, added in STEPS:
            append(daemon.home, session, added)
            for path in ROUTES:
                await reader.look(path)
        await reader.settle()
        before = await daemon.get("/api/conversations")
        append(daemon.home, SESSION, line("hello, news"))
        with trio.fail_after(20):
            while await daemon.get("/api/conversations") == before:
                await trio.sleep(0.01)
        await reader.settle()


async def test_what_was_forgotten_is_not_given_again(tmp_path: Path) -> None:
    path = f"/api/conversations/{SESSION}"
    async with open_daemon(tmp_path, {"http": {"socket": str(tmp_path / "s")}}) as daemon:
        append(daemon.home, SESSION, line("hello"))
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            with trio.fail_after(20):
                while (found := await client.get(daemon.url + path)).status_code != 200:
                    await trio.sleep(0.01)
            transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "s"))
            async with httpx.AsyncClient(transport=transport, verify=False) as owner:
                assert (await owner.delete(f"http://localhost{path}")).status_code == 200
            tag = {"If-None-Match": found.headers.get("ETag", "")}
            assert (await client.get(daemon.url + path, headers=tag)).status_code == 404
            assert (await client.get(daemon.url + path)).status_code == 404


def append(home: Home, session: str, data: bytes) -> None:
    path = home.root / "-home-dev-demo" / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(data)
