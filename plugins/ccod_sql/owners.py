"""Narrows what is read to what is of some machines. Where nothing is narrowed, no statement changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from ccod_sql.tables import conversations, machines

Machines = frozenset[str] | None


def ids_of(names: Iterable[str]) -> Select[tuple[int]]:
    """Return what finds the ids of machines."""
    return select(machines.c.id).where(machines.c.name.in_(sorted(names)))


def of(machine_id: ColumnElement[Any], names: Machines) -> list[ColumnElement[bool]]:
    """Return the condition that a row is of these machines; none where all are wanted."""
    return [] if names is None else [machine_id.in_(ids_of(names))]


def whose(conversation_id: ColumnElement[Any], names: Machines) -> list[ColumnElement[bool]]:
    """Return the condition that a row is of conversations of these machines; none where all are wanted."""
    if names is None:
        return []
    theirs = select(conversations.c.id).where(conversations.c.machine_id.in_(ids_of(names)))
    return [conversation_id.in_(theirs)]


class Names:
    """The names of machines by their ids, each looked up once: no machine is ever called otherwise."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def of(self, connection: Connection, machine_id: int) -> str:
        if machine_id not in self._known:
            found = connection.execute(select(machines.c.name).where(machines.c.id == machine_id)).scalar_one()
            self._known[machine_id] = found
        return self._known[machine_id]
