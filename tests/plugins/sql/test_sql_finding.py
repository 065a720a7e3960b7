"""What the database reads to find a conversation by the beginning of its id."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, event

from ccod import ConversationQuery
from ccod_sql.reading import find_conversations

SORTS = ("updatedAt", "createdAt", "title", "messageCount")


def _plans(database: Path, query: ConversationQuery) -> list[str]:
    """Return the steps in which the database answers all statements of a query."""
    plans: list[str] = []

    def explain(connection: Connection, cursor: sqlite3.Cursor, statement: str, values: object, *_: object) -> None:
        steps = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
        plans.extend(step[3] for step in steps)

    engine = create_engine(f"sqlite:///{database}")
    event.listen(engine, "before_cursor_execute", explain)
    with engine.connect() as connection:
        find_conversations(connection, query)
    engine.dispose()
    return plans


@pytest.mark.parametrize("sort", SORTS)
def test_the_beginning_of_an_id_is_looked_up_in_an_index_whatever_the_order(database: Path, sort: str) -> None:
    plans = _plans(database, ConversationQuery(id_prefix="ab", sort=sort))  # type: ignore[arg-type]
    assert [step for step in plans if "(key>? AND key<?)" in step]
    assert not [step for step in plans if step.startswith("SCAN conversations")]
    assert [step for step in _plans(database, ConversationQuery(sort=sort)) if step.startswith("SCAN")]  # type: ignore[arg-type]
