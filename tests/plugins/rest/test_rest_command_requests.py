"""How much commands ask of a daemon that has stored a lot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from uuid import UUID

import click
import pytest
import trio
from click.testing import CliRunner

from ccod import Settings
from ccod_rest.commands.sessions import sessions_command
from ccod_rest.commands.show import show_command
from ccod_rest.commands.usage import usage_command
from tests.plugins.rest.library import Library, library

MANY = 105
"""More conversations than a page of any list holds unless it is asked for more."""
IDS = [str(UUID(int=number << 96, version=4)) for number in range(1, MANY + 1)]
LIST = "/api/conversations"
LAST = "/livez"
ONE = f"{LIST}/<conversation_id>"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Library]:
    async with library(tmp_path / "ccod.db") as opened:
        for id_ in IDS:
            opened.session, opened.size = id_, 0
            await opened.add(opened.said("assistant", "hi"), index=False)
        yield opened


async def asked(house: Library, command: Callable[[Callable[[], Settings]], click.Command], *words: str) -> list[str]:
    """Run a command, and return the routes that it asked."""
    house.logs.clear()
    result = await trio.to_thread.run_sync(partial(CliRunner().invoke, command(lambda: house.settings), words))
    assert result.exit_code == 0, result.output
    await house.get(LAST)
    while not (routes := _logged(house)) or routes[-1] != LAST:  # a line is written once the answer is sent
        await trio.sleep(0.01)
    return routes[:-1]


def _logged(house: Library) -> list[str]:
    return [log["route"] for log in house.logs if log["event"] == "request"]


async def test_the_beginning_of_an_id_is_found_without_reading_the_list(house: Library) -> None:
    shown = [ONE, f"{ONE}/subagents", f"{ONE}/messages"]
    assert await asked(house, show_command, IDS[0][:8]) == [ONE, LIST, *shown]
    assert await asked(house, show_command, IDS[0]) == [ONE, *shown]
    assert await asked(house, show_command, "latest") == [LIST, *shown]
    assert await asked(house, usage_command, "explain", IDS[-1][:8]) == [ONE, LIST, f"{ONE}/usage"]


async def test_a_project_is_found_by_its_name_without_reading_the_list(house: Library) -> None:
    found = ["/api/projects/<project_id>", "/api/projects", LIST]
    assert await asked(house, sessions_command, "--project", "garden") == found


async def test_usage_by_conversation_is_one_page_for_many(house: Library) -> None:
    assert await asked(house, usage_command, "session", "--json") == ["/api/usage/sessions"]
