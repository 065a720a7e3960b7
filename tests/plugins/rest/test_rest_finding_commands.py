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


async def run(
    house: Library, command: Callable[[Callable[[], Settings]], click.Command], *words: str, color: bool = False
) -> Result:
    call = partial(CliRunner().invoke, command(lambda: house.settings), words, color=color)
    return await trio.to_thread.run_sync(call)


async def test_search_prints_what_was_found(house: Library) -> None:
    result = await run(house, search_command, "owl")
    assert result.exit_code == 0, result.output
    newest, found, older, text = result.output.splitlines()
    assert newest.endswith(f"garden  {SESSION}  user")
    assert older.startswith("2026-01-01 00:01")
    assert (found.strip(), text.strip()) == ("the owl is found", "Find the [31m owl")
    assert (await run(house, search_command, "owl is", "--limit", "1")).output.count(SESSION) == 1


async def test_words_are_what_the_api_takes(house: Library) -> None:
    for words in ("owl role:user", "owl is", "is owl", '"owl is"', 'found "the owl"'):
        for arguments in ([words], words.split()):
            result = await run(house, search_command, *arguments)
            assert (result.exit_code, result.stderr) == (0, ""), arguments
            assert "the owl is found" in result.stdout
    assert (await run(house, search_command, '"is owl"')).exit_code == 1
    assert (await run(house, search_command, "role:user")).exit_code == 2


FILTERS = [
    (["--project", "garden"], 2),
    (["--project", "cellar"], 0),
    (["--tool", "Bash"], 0),
    (["--role", "user"], 2),
    (["--role", "assistant"], 0),
    (["--model", "opus"], 0),
    (["--error"], 0),
    (["--no-error"], 2),
    (["--since", "2026-01-01T00:02:00Z"], 1),
    (["--until", "2026-01-01T00:01:00Z"], 1),
    (["--ranked"], 2),
]


async def test_search_has_an_option_for_each_filter(house: Library) -> None:
    for options, found in FILTERS:
        result = await run(house, search_command, "owl", *options)
        assert (result.exit_code, result.stdout.count(SESSION)) == (0 if found else 1, found), options
        assert result.stderr == ("" if found else "nothing found\n"), options


async def test_search_goes_on_where_an_answer_gave_up(house: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccod_sql.search.CANDIDATES", 1)
    assert "31m owl" in (await run(house, search_command, "owl", "--until", "2026-01-01T00:01:00Z")).stdout
    assert (await run(house, search_command, "owl", "--role", "assistant")).exit_code == 1


async def test_search_tells_that_the_index_follows(house: Library) -> None:
    await house.add(house.said("user", "a second owl"), house.said("user", "a third owl"), index=False)
    result = await run(house, search_command, "owl")
    assert (result.stdout.count(SESSION), result.stderr) == (2, "the index holds 50 % so far\n")
    result = await run(house, search_command, "second", "--json")
    assert (json.loads(result.stdout)["indexed"], result.exit_code) == (0.5, 1)


async def test_matches_have_a_colour_on_a_terminal_only(house: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await run(house, search_command, "owl is")).stdout.splitlines()[1] == "    the owl is found"
    shown = (await run(house, search_command, "owl is", color=True)).stdout.splitlines()[1]
    assert shown == "    the \x1b[31m\x1b[1mowl\x1b[0m \x1b[31m\x1b[1mis\x1b[0m found"
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in (await run(house, search_command, "owl is", color=True)).stdout


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
