"""The role: everything that blocks runs in threads, the one writer's and the readers' apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

import trio
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, OperationalError

from ccod import (
    Batch,
    Checkpoint,
    Conversation,
    ConversationQuery,
    Entry,
    Message,
    MessageQuery,
    Page,
    Project,
    ProjectQuery,
    StorageUnavailableError,
    Stored,
    Stream,
    UnavailableError,
    Unparsed,
)
from ccod_sql import messages, reading, schema
from ccod_sql.settings import SqliteSettings
from ccod_sql.sqlite import open_database
from ccod_sql.writing import Writer, register

P = ParamSpec("P")
T = TypeVar("T")

RETRY_SECONDS = 0.2


def epoch_ms() -> int:
    return time.time_ns() // 1_000_000


class SqlStorage:
    """See `ccod.Storage`."""

    def __init__(self, settings: SqliteSettings, machine: str, clock: Callable[[], int] = epoch_ms) -> None:
        self._settings = settings
        self._machine = machine
        self._clock = clock
        self._stack = ExitStack()
        self._writing = trio.CapacityLimiter(1)
        self._reading = trio.CapacityLimiter(settings.readers)

    async def __aenter__(self) -> Self:
        patience = trio.current_time() + self._settings.busy_timeout
        while True:
            try:
                await trio.to_thread.run_sync(self._open, limiter=self._writing)
            except StorageUnavailableError:
                if trio.current_time() >= patience:
                    raise
                await trio.sleep(RETRY_SECONDS)
            else:
                return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._stack.close, limiter=self._writing)

    async def checkpoints(self, source: str) -> Sequence[tuple[Stream, Checkpoint]]:
        return await self._read(reading.checkpoints, self._machine_id, source)

    async def append(self, source: str, batch: Batch, entries: Sequence[Entry | Unparsed]) -> Stored:
        return await trio.to_thread.run_sync(self._append, source, batch, entries, limiter=self._writing)

    async def projects(self, query: ProjectQuery) -> Page[Project]:
        return await self._read(reading.find_projects, query)

    async def project(self, project_id: str) -> Project | None:
        return await self._read(reading.find_project, project_id)

    async def conversations(self, query: ConversationQuery) -> Page[Conversation]:
        return await self._read(reading.find_conversations, query, self._clock())

    async def conversations_by_id(self, ids: Sequence[str]) -> Sequence[Conversation]:
        return await self._read(reading.conversations_with, ids, self._clock())

    async def messages(self, conversation_id: str, query: MessageQuery) -> Page[Message]:
        return await self._read(messages.page, conversation_id, query)

    def _open(self) -> None:
        with ExitStack() as stack:
            self._database = stack.enter_context(open_database(self._settings))
            try:
                with self._database.writer.begin() as connection:
                    schema.upgrade(connection, self._database.path)
                    self._machine_id = register(connection, self._machine)
            except OperationalError as error:
                if "locked" not in str(error.orig):
                    raise self._damaged(error) from error
                raise StorageUnavailableError(
                    f"{self._database.path}: another program holds a lock on it; close that program"
                ) from error
            except DatabaseError as error:
                raise self._damaged(error) from error
            self._writer = Writer(self._database.writer.dialect, self._machine, self._machine_id)
            self._stack = stack.pop_all()

    def _damaged(self, error: DatabaseError) -> UnavailableError:
        return UnavailableError(
            f"{self._database.path}: {error.orig}; mend or restore it, or name another file with --database"
        )

    def _append(self, source: str, batch: Batch, entries: Sequence[Entry | Unparsed]) -> Stored:
        if not self._database.in_place():
            raise StorageUnavailableError(f"{self._database.path}: was moved or deleted; put it back or restart ccod")
        try:
            with self._database.writer.begin() as connection:
                return self._writer.append(connection, source, batch, entries, self._clock())
        except OperationalError as error:
            raise StorageUnavailableError(f"{self._database.path}: {error.orig}") from error
        except self._database.writer.dialect.loaded_dbapi.OperationalError as error:
            raise StorageUnavailableError(f"{self._database.path}: {error}") from error

    async def _read(self, read: Callable[Concatenate[Connection, P], T], *values: P.args, **named: P.kwargs) -> T:
        def work() -> T:
            with self._database.readers.connect() as connection:
                return read(connection, *values, **named)

        return await trio.to_thread.run_sync(work, limiter=self._reading)
