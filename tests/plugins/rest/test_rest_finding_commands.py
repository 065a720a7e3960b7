"""`ccod search` and `ccod export`, against a running server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import click
import pytest
import trio
from click.testing import CliRunner, Result

from ccod import CcodError, Settings
from ccod_rest.commands.export import export_command
from ccod_rest.commands.search import search_command
from tests.plugins.rest.library import SESSION, Library, library


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Library]:
    async with library(tmp_path / "ccod.db") as opened:
        await opened.add(opened.said("user", "Find the \x1b[31m owl"), opened.said("user", "the owl is found"))
        yield opened


async def run(house: Library, command: Callable[[Callable[[], Settings]], click.Command], *words: str) -> Result:
    call = partial(CliRunner().invoke, command(lambda: house.settings), words)
    return await trio.to_thread.run_sync(call)


async def test_search_prints_what_was_found(house: Library) -> None:
    result = await run(house, search_command, "owl")
    assert result.exit_code == 0, result.output
    newest, found, older, text = result.output.splitlines()
    assert newest.endswith(f"garden  {SESSION}  user")
    assert older.startswith("2026-01-01 00:01")
    assert (found.strip(), text.strip()) == ("the owl is found", "Find the [31m owl")
    assert (await run(house, search_command, "owl is", "--limit", "1")).output.count(SESSION) == 1


async def test_search_prints_json(house: Library) -> None:
    answer = json.loads((await run(house, search_command, "owl", "--json")).output)
    assert (answer["schemaVersion"], len(answer["hits"]), answer["nextCursor"]) == (1, 2, None)


async def test_export_writes_a_new_file_for_the_owner(house: Library, tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    assert (await run(house, export_command, SESSION, "--format", "html", "--output", str(path))).exit_code == 0
    assert path.read_text().rstrip().endswith("</html>")
    assert path.stat().st_mode & 0o777 == 0o600
    result = await run(house, export_command, SESSION, "--output", str(path))
    assert isinstance(result.exception, CcodError)
    assert "File exists" in str(result.exception)


async def test_export_prints(house: Library) -> None:
    result = await run(house, export_command, SESSION, "--format", "jsonl")
    assert [json.loads(line)["type"] for line in result.output.splitlines()] == ["user", "user"]


async def test_a_refusal_is_one_line_and_no_file(house: Library, tmp_path: Path) -> None:
    path = tmp_path / "out.md"
    result = await run(house, export_command, SESSION, "--reveal", "--output", str(path))
    assert isinstance(result.exception, CcodError)
    assert "admin" in str(result.exception)
    assert not path.exists()
