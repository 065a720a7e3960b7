"""Projects as a person makes and describes them."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, Dialect, insert

from ccod import Event, EventKind, ProjectDraft, ProjectEdit, Stored
from ccod_sql import rollups, rows, tables
from ccod_sql.owners import Names
from ccod_sql.rows import Rows


class Projects:
    """Makes and changes the projects of one machine. Its caller holds the transaction."""

    def __init__(self, dialect: Dialect, machine: str, machine_id: int) -> None:
        self._machine = machine
        self._machine_id = machine_id
        self._names = Names()
        self._rows = Rows(dialect, tables.projects, rows.Project)

    def create(self, connection: Connection, draft: ProjectDraft, now: int) -> Stored | None:
        """Make a project; None if there is one at its path."""
        path = rollups.project_path(draft.path)
        key = rollups.project_key(self._machine, path)
        if self._rows.find(connection, key=key):
            return None
        project = rows.Project(
            id=self._rows.next_id(connection),
            key=key,
            machine_id=self._machine_id,
            path=path,
            name=rollups.project_name(path) if draft.name is None else draft.name,
            created_at=now,
            updated_at=now,
            description=draft.description,
            settings=msgspec.json.encode(draft.settings).decode(),
        )
        self._rows.insert(connection, [project])
        return _told(connection, "project_discovered", project, self._machine, now)

    def edit(self, connection: Connection, key: str, edit: ProjectEdit, now: int) -> Stored | None:
        """Change what a person says of a project; None if there is no such project."""
        found = self._rows.find(connection, key=key)
        if not found:
            return None
        (project,) = found
        if edit.name is not None:
            project.name = edit.name
        if edit.description is not None:
            project.description = edit.description
        if edit.settings is not None:
            project.settings = msgspec.json.encode(edit.settings).decode()
        project.updated_at = max(project.updated_at, now)
        self._rows.update(connection, [project])
        machine = self._names.of(connection, project.machine_id)
        return _told(connection, "project_updated", project, machine, now)


def _told(connection: Connection, kind: EventKind, project: rows.Project, machine: str, now: int) -> Stored:
    news = insert(tables.events).values(kind=kind, at=now, project_id=project.id)
    seq = connection.execute(news.returning(tables.events.c.seq)).scalar_one()
    return Stored([Event(seq, kind, now, project_id=project.key, machine=machine)], projects=[project.key])
