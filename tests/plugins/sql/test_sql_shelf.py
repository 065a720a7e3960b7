"""The storage in memory that tests of plugins stand on answers, while nothing is stored, as an empty database does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ccod import (
    EntryQuery,
    EventQuery,
    FigureQuery,
    MessageQuery,
    ProjectEdit,
    QuarantineQuery,
    SearchQuery,
    SessionQuery,
    Storage,
    ToolCallQuery,
)
from ccod.testing import Shelf
from tests.plugins.sql.conftest import OpenStorage

ASKED: dict[str, Callable[[Storage], Awaitable[Any]]] = {
    "checkpoints": lambda storage: storage.checkpoints("source"),
    "edit_project": lambda storage: storage.edit_project("none", ProjectEdit(name="x")),
    "entries": lambda storage: storage.entries("none", EntryQuery()),
    "events": lambda storage: storage.events(EventQuery()),
    "forget_conversation": lambda storage: storage.forget_conversation("none"),
    "forget_project": lambda storage: storage.forget_project("none"),
    "kept": lambda storage: storage.kept("names"),
    "messages": lambda storage: storage.messages("none", MessageQuery()),
    "nodes": lambda storage: storage.nodes("none"),
    "project": lambda storage: storage.project("none"),
    "quarantine": lambda storage: storage.quarantine(QuarantineQuery()),
    "record_types": lambda storage: storage.record_types(),
    "reparse": lambda storage: storage.reparse(),
    "repeats": lambda storage: storage.repeats(1),
    "responses": lambda storage: storage.responses("none"),
    "search": lambda storage: storage.search(SearchQuery(["word"])),
    "sessions": lambda storage: storage.sessions(SessionQuery(0, 1)),
    "streams": lambda storage: storage.streams("none"),
    "subagents": lambda storage: storage.subagents("none"),
    "tool_calls": lambda storage: storage.tool_calls("none", ToolCallQuery()),
    "total_usage": lambda storage: storage.total_usage("none"),
    "bytes_of": lambda storage: storage.bytes_of(1, 0),
    "overview": lambda storage: storage.overview(FigureQuery([0, 1])),
    "usage": lambda storage: storage.usage(FigureQuery([0, 1])),
    "activity": lambda storage: storage.activity("none"),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_an_empty_shelf_answers_as_an_empty_database_does(storages: OpenStorage, asked: str) -> None:
    async with storages() as storage, Shelf() as shelf:
        assert _plain(await ASKED[asked](shelf)) == _plain(await ASKED[asked](storage))


def _plain(answer: Any) -> str:
    """Return an answer without the kind of its sequences, which no caller looks at."""
    return repr(answer).replace("()", "[]")
