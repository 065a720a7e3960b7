"""Puts batches into the tables. Whoever calls it holds the one writing connection, in one transaction a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy

from sqlalchemy import Connection, Dialect, insert, select

from ccod import Batch, Entry, FileChange, Parser, Prices, Stored, Unparsed
from ccod_sql import news, rollups, rows, states, tables
from ccod_sql.filing import Filing, Fresh, Target
from ccod_sql.forgetting import Forgetting
from ccod_sql.owners import Names
from ccod_sql.rows import Rows


def register(connection: Connection, machine: str) -> int:
    """Return the id of the machine of this name."""
    c = tables.machines.c
    id_: int | None = connection.scalar(select(c.id).where(c.name == machine))
    if id_ is None:
        id_ = connection.execute(insert(tables.machines).values(name=machine).returning(c.id)).scalar_one()
    return id_


class Writer:
    """Stores the batches of one machine."""

    def __init__(self, dialect: Dialect, machine_id: int, prices: Prices, parsers: Mapping[str, Parser]) -> None:
        self._parsers = parsers
        self._machine_id = machine_id
        self._names = Names()
        self._projects = Rows(dialect, tables.projects, rows.Project)
        self._conversations = Rows(dialect, tables.conversations, rows.Conversation)
        self._streams = Rows(dialect, tables.streams, rows.Stream)
        self.filing = Filing(dialect, prices)
        self.forgetting = Forgetting(dialect)

    def append(
        self, connection: Connection, source: str, batch: Batch, parsed: Sequence[Entry | Unparsed], now: int
    ) -> Stored:
        """Store what is new in a batch, and return it."""
        file = FileChange.of(batch, self._names.of(connection, self._machine_id))
        stream = self._stream(connection, source, batch, now)
        if stream is None:
            return Stored(file=file)
        (conversation,) = self._conversations.find(connection, id=stream.conversation_id)
        before = copy(conversation)
        to = Target(connection, stream, conversation, now)
        fresh = Fresh.of(batch, parsed, stream.position)
        if self._is_of_forgotten_project(to, fresh):
            self.forgetting.forget_again(connection, conversation, now)
            self.forgetting.pass_over(connection, self._machine_id, source, batch)
            return Stored(file=file)
        filed = self.filing.file(to, fresh)
        self._follow(to, batch, grown=bool(fresh.records))
        project, was = self.place(connection, conversation)
        project_changed = project != was
        if conversation != before:
            self._conversations.update(connection, [conversation])
        machine = self._names.of(connection, conversation.machine_id)
        return Stored(
            events=() if batch.history else news.announce(to, before, project, filed, machine, discovered=was is None),
            conversations=[conversation.key, *to.renamed] if conversation != before else tuple(to.renamed),
            projects=[project.key] if project and project_changed else (),
            file=file,
        )

    def _stream(self, connection: Connection, source: str, batch: Batch, now: int) -> rows.Stream | None:
        """Return the batch's stream. One without records does not begin a stream."""
        found = self._streams.find(connection, machine_id=self._machine_id, source=source, key=batch.stream.key)
        if found:
            return found[0]
        if self.forgetting.remembers(connection, "conversation", batch.stream.conversation):
            self.forgetting.pass_over(connection, self._machine_id, source, batch)
            return None
        if not batch.records:
            return None
        conversation = self._conversation(connection, batch.stream.conversation, now)
        stream = rows.Stream(
            id=self._streams.next_id(connection),
            machine_id=self._machine_id,
            source=source,
            key=batch.stream.key,
            format=batch.stream.format,
            kind=batch.stream.kind,
            path=batch.stream.path,
            conversation_id=conversation.id,
            agent=batch.stream.agent or "",
            parser=self._parsers[batch.stream.format].version if batch.stream.format in self._parsers else "",
            created_at=now,
            updated_at=now,
        )
        if stream.agent and not self._streams.find(connection, conversation_id=conversation.id, agent=stream.agent):
            conversation.subagent_count += 1
            self._conversations.update(connection, [conversation])
        self._streams.insert(connection, [stream])
        return stream

    def _conversation(self, connection: Connection, key: str, now: int) -> rows.Conversation:
        found = self._conversations.find(connection, key=key)
        if found:
            return found[0]
        title, rank = rollups.untitled(key)
        conversation = rows.Conversation(
            id=self._conversations.next_id(connection),
            key=key,
            machine_id=self._machine_id,
            title=title,
            title_rank=rank,
            created_at=now,
            updated_at=now,
        )
        self._conversations.insert(connection, [conversation])
        return conversation

    def _follow(self, to: Target, batch: Batch, *, grown: bool) -> None:
        """Note where the stream was left, and what became of its file."""
        stream, conversation = to.stream, to.conversation
        before = copy(stream)
        stream.path = batch.stream.path
        if batch.checkpoint.offset >= stream.position:
            stream.position, stream.state = batch.checkpoint.offset, batch.checkpoint.state
            if batch.records or batch.rest is not None:
                stream.rest = batch.rest or b""
        if batch.change == "unlink":
            stream.deleted_at = stream.deleted_at or to.now
        elif grown or not batch.records:
            stream.deleted_at = None
        if batch.change == "rewrite":
            stream.rewritten_at = stream.rewritten_at or to.now
        if not stream.agent and stream.kind == "transcript":
            self._show_file(to)
        if grown:
            # History says nothing of now: it counts as of its own last time.
            grown_at = to.now if not batch.history else conversation.updated_at if conversation.timed else 0
            conversation.appended_at = max(conversation.appended_at, grown_at)
            states.settle(conversation, to.now, anew=batch.history)
        if grown or stream != before:
            stream.updated_at = to.now
            self._streams.update(to.connection, [stream])

    def _show_file(self, to: Target) -> None:
        """Note in the conversation where its file is: of several, one that is there and goes on."""
        stream, conversation = to.stream, to.conversation
        shown = stream
        if stream.deleted_at or stream.rewritten_at:
            own = self._streams.find(to.connection, conversation_id=conversation.id, agent="", kind="transcript")
            others = (other for other in own if other.id != stream.id)
            shown = next((other for other in others if not other.deleted_at and not other.rewritten_at), stream)
        conversation.file_path, conversation.file_deleted_at = shown.path, shown.deleted_at
        if stream.rewritten_at:
            conversation.file_rewritten_at = max(conversation.file_rewritten_at or 0, stream.rewritten_at)

    def place(
        self, connection: Connection, conversation: rows.Conversation
    ) -> tuple[rows.Project | None, rows.Project | None]:
        """Return the conversation's project, once one is known, brought up to date; and as it was, if it was there."""
        if conversation.project_id is not None:
            found: rows.Project | None = self._projects.find(connection, id=conversation.project_id)[0]
        elif conversation.cwd:
            found = self._project_at(connection, conversation)
        else:
            return None, None
        before = copy(found)
        project = found or self._new_project(connection, conversation)
        if conversation.project_id is None:
            conversation.project_id = project.id
            project.conversation_count += 1
        rollups.touch(project, conversation)
        if project != before:
            self._projects.update(connection, [project])
        return project, before

    def _is_of_forgotten_project(self, to: Target, fresh: Fresh) -> bool:
        """Tell whether a conversation turns out to be one that was in a project when that was forgotten."""
        if to.conversation.project_id is not None or to.stream.agent:
            return False
        cwd = to.conversation.cwd or next((entry.cwd for entry in fresh.entries if entry.cwd), None)
        if not cwd:
            return False
        machine = self._names.of(to.connection, to.conversation.machine_id)
        key = rollups.project_key(machine, rollups.project_path(cwd))
        since = min((entry.at for entry in fresh.entries if entry.at is not None), default=to.conversation.created_at)
        return self.forgetting.remembers(to.connection, "project", key, since)

    def _project_at(self, connection: Connection, conversation: rows.Conversation) -> rows.Project | None:
        path = rollups.project_path(conversation.cwd or "")
        machine = self._names.of(connection, conversation.machine_id)
        found = self._projects.find(connection, key=rollups.project_key(machine, path))
        return found[0] if found else None

    def _new_project(self, connection: Connection, conversation: rows.Conversation) -> rows.Project:
        path = rollups.project_path(conversation.cwd or "")
        project = rows.Project(
            id=self._projects.next_id(connection),
            key=rollups.project_key(self._names.of(connection, conversation.machine_id), path),
            machine_id=conversation.machine_id,
            path=path,
            name=rollups.project_name(path),
            created_at=conversation.created_at,
            updated_at=conversation.updated_at,
        )
        self._projects.insert(connection, [project])
        return project
