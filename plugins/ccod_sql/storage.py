"""The role: everything that blocks runs in threads, the one writer's and the readers' apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import ParamSpec, Self, TypeVar

import structlog
import trio
from sqlalchemy import Connection

from ccod import (
    Batch,
    Entry,
    Health,
    Parser,
    Prices,
    ProjectDraft,
    ProjectEdit,
    Read,
    StorageUnavailableError,
    Stored,
    Unparsed,
    Vacuumed,
)
from ccod_sql import events, indexing, keeping, pricing, reads
from ccod_sql.database import Backend
from ccod_sql.engine import SQLITE, Driver
from ccod_sql.expiry import Expiry
from ccod_sql.forgetting import conversations_of
from ccod_sql.onsqlite import OnSqlite
from ccod_sql.packing import pack_some
from ccod_sql.projects import Projects
from ccod_sql.questions import Questions
from ccod_sql.reparsing import Reparsing
from ccod_sql.settings import SqliteSettings
from ccod_sql.telling import Telling, joined
from ccod_sql.upkeep import Upkeep
from ccod_sql.writing import Writer, register

P = ParamSpec("P")
T = TypeVar("T")

RETRY_SECONDS = 0.2

log = structlog.get_logger("ccod.sql")


def epoch_ms() -> int:
    return time.time_ns() // 1_000_000


class TableStorage(Questions):
    """See `ccod.Storage`. It stands on a database of any engine that has a `Backend`."""

    def __init__(
        self,
        backend: Backend,
        machine: str,
        prices: Prices,
        clock: Callable[[], int] = epoch_ms,
        parsers: Mapping[str, Parser] = MappingProxyType({}),
    ) -> None:
        super().__init__(prices, backend.readers)
        self._backend = backend
        self._parsers = parsers
        self._machine = machine
        self._clock = clock
        self._stack = ExitStack()
        self._writing = trio.CapacityLimiter(1)

    async def __aenter__(self) -> Self:
        patience = trio.current_time() + self._backend.patience
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

    @property
    def folder(self) -> Path:
        return self._database.folder

    @property
    def is_shared(self) -> bool:
        return self._backend.is_shared

    @property
    def revision(self) -> int | None:
        return self._database.revision

    async def append(self, source: str, batch: Batch, entries: Sequence[Entry | Unparsed]) -> Stored:
        return await self._write(self._append, source, batch, entries)

    async def note_reads(self, new: Sequence[Read]) -> None:
        await self._write(self._note_reads, new)

    async def reparse(self, conversation_id: str | None = None, since: str | None = None) -> int:
        return await self._change(lambda c: self._reparsing.ask(c, conversation_id, since))

    async def create_project(self, draft: ProjectDraft) -> Stored | None:
        return await self._write(self._store, lambda c: self._projects.create(c, draft, self._clock()))

    async def edit_project(self, project_id: str, edit: ProjectEdit) -> Stored | None:
        return await self._write(self._store, lambda c: self._projects.edit(c, project_id, edit, self._clock()))

    async def forget_conversation(self, conversation_id: str) -> Stored | None:
        return await self._write(self._forget_conversation, conversation_id)

    async def forget_project(self, project_id: str) -> Stored | None:
        return await self._write(self._forget_project, project_id)

    async def keep(self, namespace: str, changes: Mapping[str, bytes | None]) -> None:
        await self._write(self._keep, namespace, changes)

    async def vacuum(self) -> Vacuumed:
        return await self._write(self._vacuum)

    async def maintain(self, health: Health) -> Stored | None:
        return await self._write(self._maintain, health)

    async def called(self) -> None:
        await self._database.called()

    def _open(self) -> None:
        with ExitStack() as stack:
            self._database = stack.enter_context(self._backend.open())
            with self._database.opening():
                self._database.upgrade()
                with self._database.transaction(lambda: None) as connection:
                    self._machine_id = register(connection, self._machine)
                    events.begin(connection, self._database)
                    pricing.reprice(connection, self._prices)
                    self._telling = Telling(events.position(connection, None).seq)
            dialect = self._database.writer.dialect
            self._writer = Writer(dialect, self._machine_id, self._prices, self._parsers)
            self._reparsing = Reparsing(dialect, self._writer, self._parsers)
            self._expiry = Expiry(dialect)
            self._projects = Projects(dialect, self._machine, self._machine_id)
            self._vacuuming = self._database.vacuuming(self._transaction)
            self._upkeep = Upkeep([lambda _: self._expire(), lambda _: self._pack(), self._reparse, self._index])
            self._stack = stack.pop_all()

    def _append(self, source: str, batch: Batch, entries: Sequence[Entry | Unparsed]) -> Stored:
        stored = self._store(lambda c: self._writer.append(c, source, batch, entries, self._clock()))
        return stored or Stored()

    def _store(self, work: Callable[[Connection], Stored | None]) -> Stored | None:
        """Write in one transaction. Return what that changed, behind the events that were not told here before."""
        with self._transaction() as connection:
            missed = self._telling.missed(connection)
            own = work(connection)
            if own is not None:
                self._database.announce(own)
        return None if own is None else self._telling.told(missed, own)

    def _hear(self) -> Stored | None:
        """Return what other daemons stored."""
        heard = self._database.heard(self._note_others)
        missed = None
        if self._telling.is_behind:
            with self._database.explained(), self._database.readers.connect() as connection:
                missed = self._telling.missed(connection)
        return self._telling.told(missed, heard)

    def _note_others(self) -> None:
        """Remember no more what another daemon may have changed."""
        self._telling.is_behind = True
        self._writer.filing.naming.is_alone = False
        self._reparsing.is_sure = False

    def _expire(self) -> Stored | None:
        return self._store(lambda c: self._expiry.step(c, self._clock()))

    def _maintain(self, health: Health) -> Stored | None:
        stored = self._hear()
        if stored is None and self._database.is_keeper():
            stored = self._upkeep(health)
        if stored is None:
            with self._database.writable():
                self._database.tidy()
        return stored

    def _pack(self) -> Stored | None:
        with self._transaction() as connection:
            return Stored() if pack_some(connection, self._clock()) else None

    def _reparse(self, health: Health) -> Stored | None:
        if not self._reparsing.is_sure:
            with self._database.explained(), self._database.readers.connect() as connection:
                self._reparsing.look(connection)
        if self._reparsing.is_done:
            return None  # what `unchecked` sets makes SQLite prepare every statement anew
        with self._database.unchecked():
            return self._store(lambda c: self._reparsing.step(c, health.tasks))

    def _index(self, health: Health) -> Stored | None:
        with self._database.explained():
            return indexing.step(self._database.readers, self._transaction, self._parsers, health.tasks)

    def _forget_conversation(self, key: str) -> Stored | None:
        with self._database.unchecked():
            stored = self._forget(key)
        self._leave_no_trace()
        return stored

    def _forget(self, key: str) -> Stored | None:
        return self._store(lambda c: self._writer.forgetting.forget_conversation(c, key, self._clock()))

    def _forget_project(self, key: str) -> Stored | None:
        """Forget the conversations one by one. Who is stopped midway forgets the rest when asked again."""
        with self._database.unchecked():
            with self._database.explained(), self._database.readers.connect() as connection:
                its_conversations = conversations_of(connection, key)
            told = [self._forget(each) for each in its_conversations]
            told.append(self._store(lambda c: self._writer.forgetting.forget_project(c, key, self._clock())))
        self._leave_no_trace()
        some = [stored for stored in told if stored is not None]
        return joined(some) if some else None

    def _vacuum(self) -> Vacuumed:
        with self._database.writable():
            done = self._vacuuming.step()
            self._database.tidy(thoroughly=not done.more)
        return done

    def _leave_no_trace(self) -> None:
        """Overwrite what was forgotten. It is forgotten in any case: who asked must hear of that."""
        try:
            with self._database.writable():
                self._database.leave_no_trace()
        except StorageUnavailableError as error:
            log.warning("what was forgotten stays in the journal until that is written over", reason=str(error))

    def _keep(self, namespace: str, changes: Mapping[str, bytes | None]) -> None:
        with self._database.durable(), self._transaction() as connection:
            keeping.write(connection, namespace, changes)

    def _note_reads(self, new: Sequence[Read]) -> None:
        with self._database.durable(), self._transaction() as connection:
            reads.note(connection, new)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._database.writable(), self._database.transaction(self._note_others) as connection:
            yield connection

    async def _write(self, write: Callable[P, T], *values: P.args, **named: P.kwargs) -> T:
        return await trio.to_thread.run_sync(partial(write, *values, **named), limiter=self._writing)

    async def _change(self, change: Callable[[Connection], T]) -> T:
        """Write in one transaction."""

        def work() -> T:
            with self._transaction() as connection:
                return change(connection)

        return await self._write(work)


class SqlStorage(TableStorage):
    """Keeps everything in one SQLite file, which `driver` opens."""

    def __init__(  # noqa: PLR0913
        self,
        settings: SqliteSettings,
        machine: str,
        prices: Prices,
        clock: Callable[[], int] = epoch_ms,
        parsers: Mapping[str, Parser] = MappingProxyType({}),
        *,
        driver: Driver = SQLITE,
    ) -> None:
        super().__init__(OnSqlite(settings, driver), machine, prices, clock, parsers)
