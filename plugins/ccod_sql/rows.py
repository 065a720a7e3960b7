"""Rows as structs, one struct for each table that is read, changed and written back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import cached_property, partial
from itertools import islice
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import Struct
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    any_,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.sql.dml import Insert, Update

from ccod import State, StreamKind
from ccod_sql import uuids
from ccod_sql.bulk import bulk_of
from ccod_sql.parameters import Values, flags, packed, taken

R = TypeVar("R", bound=Struct)
T = TypeVar("T")

VALUES_AT_ONCE = 1024


class Project(Struct):
    id: int
    key: str
    machine_id: int
    path: str
    name: str
    created_at: int
    updated_at: int
    last_activity: int | None = None
    conversation_count: int = 0
    description: str = ""
    settings: str = "{}"


class Conversation(Struct):
    id: int
    key: str
    machine_id: int
    title: str
    title_rank: int
    created_at: int
    updated_at: int
    project_id: int | None = None
    cwd: str | None = None
    latest_cwd: str | None = None
    version: str | None = None
    branch: str | None = None
    model: str | None = None
    timed: bool = False
    appended_at: int = 0
    last_error: bool = False
    ending: str = ""
    turn: int = 0
    pending_count: int = 0
    state: State = "active"
    state_reason: str = "growing"
    state_since: int = 0
    state_due: int | None = None
    file_path: str = ""
    file_deleted_at: int | None = None
    file_rewritten_at: int | None = None
    entry_count: int = 0
    message_count: int = 0
    user_message_count: int = 0
    assistant_message_count: int = 0
    response_count: int = 0
    tool_call_count: int = 0
    tool_error_count: int = 0
    error_count: int = 0
    subagent_count: int = 0
    unpriced_response_count: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_5m_tokens: int = 0
    cache_creation_1h_tokens: int = 0
    cache_read_tokens: int = 0
    web_search_requests: int = 0
    cost_nanos: int = 0


class Stream(Struct):
    id: int
    machine_id: int
    source: str
    key: str
    format: str
    path: str
    conversation_id: int
    agent: str
    created_at: int
    updated_at: int
    kind: StreamKind = "transcript"
    position: int = 0
    state: str = ""
    rest: bytes = b""
    parser: str = ""
    packed: int = 0
    entry_count: int = 0
    last_at: int | None = None
    model: str = ""
    deleted_at: int | None = None
    rewritten_at: int | None = None


class Response(Struct, gc=False):
    id: int
    conversation_id: int
    agent: str
    message_id: str
    request_id: str
    at: int
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_5m_tokens: int = 0
    cache_creation_1h_tokens: int = 0
    cache_read_tokens: int = 0
    web_search_requests: int = 0
    service_tier: str = ""
    speed: str = ""
    region: str = ""
    cost_nanos: int | None = None
    sidechain: bool = True
    counted: bool = True


class Entry(Struct, gc=False):
    id: int
    stream_id: int
    offset: int
    length: int
    conversation_id: int
    agent: str
    type: str
    subtype: str
    uuid: str | None
    parent: str | None
    at: int
    role: str | None
    sidechain: bool
    meta: bool
    error: bool = False
    duplicate: bool = False
    response_id: int | None = None
    digest: int | None = None
    logical_parent: str | None = None


class Subagent(Struct):
    conversation_id: int
    agent: str
    agent_type: str | None = None
    description: str | None = None
    parent_agent: str | None = None
    depth: int | None = None
    tool_use_id: str | None = None
    rank: int = 0


class Summary(Struct):
    conversation_id: int
    leaf: str
    title: str
    rank: int


class ToolCall(Struct, gc=False):
    conversation_id: int
    agent: str
    tool_use_id: str
    name: str = ""
    use_entry_id: int | None = None
    use_index: int = 0
    result_entry_id: int | None = None
    used_at: int | None = None
    answered_at: int | None = None
    is_error: bool = False
    duration_ms: int | None = None
    turn: int = 0


class Quarantined(Struct):
    stream_id: int
    offset: int
    length: int
    reason: str
    at: int


class Block(Struct):
    stream_id: int
    start: int
    length: int
    codec: str
    data: bytes


class RecordType(Struct):
    conversation_id: int
    type: str
    subtype: str
    version: str
    known: bool
    count: int


class Tombstone(Struct):
    kind: str
    key: str
    at: int


class ForgottenStream(Struct):
    machine_id: int
    source: str
    key: str
    format: str
    kind: str
    path: str
    conversation: str
    agent: str
    position: int
    state: str


class ModelQuarter(Struct):
    quarter: int
    conversation_id: int
    model: str
    response_count: int = 0
    unpriced_count: int = 0
    cost_nanos: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_5m_tokens: int = 0
    cache_creation_1h_tokens: int = 0
    cache_read_tokens: int = 0
    web_search_requests: int = 0


class MessageQuarter(Struct):
    quarter: int
    conversation_id: int
    user_count: int = 0
    assistant_count: int = 0


class ToolQuarter(Struct):
    quarter: int
    conversation_id: int
    name: str
    call_count: int = 0
    pending_count: int = 0
    error_count: int = 0
    timed_count: int = 0
    duration_ms: int = 0


class Writing(NamedTuple, Generic[R]):
    """A statement's text, what takes its parameters from rows, and the names of these in their order."""

    text: str
    take: Callable[[Iterable[R]], list[Values]]
    columns: Sequence[str]


class Rows(Generic[R]):
    """Reads and writes the rows of one table. Each statement is compiled when first needed, and takes plain tuples."""

    def __init__(self, dialect: Dialect, table: Table, kind: type[R]) -> None:
        self._dialect = dialect
        self._table = table
        self._kind = kind
        self._uuids = [name for name in kind.__struct_fields__ if isinstance(table.c[name].type, uuids.Uuid)]
        self._bound = dict.fromkeys(self._uuids, packed) | dict.fromkeys(flags(table, dialect), int)
        self._takes_arrays = dialect.name == "postgresql"
        self._greatest = f"SELECT max(id) FROM {table.name}"  # noqa: S608 - the name of a table of ours
        self._finders: dict[tuple[object, ...], str] = {}

    @cached_property
    def _insert(self) -> Writing[R]:
        return self._compile(insert(self._table).inline(), self._kind.__struct_fields__)

    @cached_property
    def _update(self) -> Writing[R]:
        keys = [column.name for column in self._table.primary_key]
        same_row = [self._table.c[key] == bindparam(f"old_{key}") for key in keys]
        changes = [name for name in self._kind.__struct_fields__ if name not in keys]
        return self._compile(update(self._table).where(*same_row), changes)

    def find(self, connection: Connection, **where: object) -> list[R]:
        """Return the rows that have these values."""
        finder = self._finders.get((*where,))
        if finder is None:
            finder = self._finders[(*where,)] = self._text(self._table.c[name] == bindparam(name) for name in where)
        return self._run(connection, finder, (*where.values(),))

    def find_in(self, connection: Connection, column: str, values: Iterable[str], **where: object) -> Iterator[R]:
        """Yield the rows that have one of `values` in `column`, however many values there are."""
        given: Iterable[Any] = map(uuids.pack, values) if column in self._uuids else values
        if self._takes_arrays:
            yield from self._run(connection, self._within(column, where), (*where.values(), [*given]))
            return
        for some in portions(given):
            # One statement for each power of two: the last value fills up what is missing to it.
            size = 1 << (len(some) - 1).bit_length()
            finder = self._finders.get((size, column, *where))
            if finder is None:
                same = [self._table.c[name] == bindparam(name) for name in where]
                within = self._table.c[column].in_([bindparam(f"value_{number}") for number in range(size)])
                finder = self._finders[size, column, *where] = self._text([*same, within])
            yield from self._run(connection, finder, (*where.values(), *some, *some[-1:] * (size - len(some))))

    def _within(self, column: str, where: Iterable[str]) -> str:
        """Return the statement that finds rows by an array of values: it is the same for any number of them."""
        finder = self._finders.get((column, *where))
        if finder is None:
            of_column = self._table.c[column]
            same = [self._table.c[name] == bindparam(name) for name in where]
            within = of_column == any_(bindparam("values", type_=ARRAY(of_column.type)))
            finder = self._finders[column, *where] = self._text([*same, within])
        return finder

    def next_id(self, connection: Connection) -> int:
        """Return the first free id: there is one writer, so it numbers rows itself and knows their ids beforehand."""
        return (_read(connection, self._greatest, ())[0][0] or 0) + 1

    def insert(self, connection: Connection, rows: Iterable[R], or_else: str = "") -> None:
        """Insert `rows`. `or_else` is what to do about those that are there already, in SQL."""
        values = self._insert.take(rows)
        bulk = None if or_else else bulk_of(connection, len(values))
        if bulk is None:
            _write(connection, f"{self._insert.text} {or_else}", values)
            return
        with closing(connection.connection.cursor()) as cursor:
            bulk(cursor, self._table.name, self._insert.columns, values)

    def update(self, connection: Connection, rows: Iterable[R]) -> None:
        _write(connection, self._update.text, self._update.take(rows))

    def _text(self, where: Iterable[ColumnElement[bool]]) -> str:
        columns = [self._table.c[name] for name in self._kind.__struct_fields__]
        return str(select(*columns).where(*where).compile(dialect=self._dialect))

    def _run(self, connection: Connection, sql: str, values: tuple[object, ...]) -> list[R]:
        found = [self._kind(*row) for row in _read(connection, sql, values)]
        for name in self._uuids:
            for row in found:
                if (value := getattr(row, name)) is not None:
                    setattr(row, name, uuids.unpack(value))
        return found

    def _compile(self, statement: Insert | Update, columns: Sequence[str]) -> Writing[R]:
        compiled = statement.compile(dialect=self._dialect, column_keys=[*columns])
        names = compiled.positiontup
        assert names is not None, "the dialect must take parameters by position"
        fields = [name.removeprefix("old_") for name in names]
        bound = [(place, self._bound[name]) for place, name in enumerate(fields) if name in self._bound]
        return Writing(str(compiled), partial(taken, attrgetter(*fields), bound), fields)


def portions(values: Iterable[T]) -> Iterator[list[T]]:
    """Cut `values` so that each part fits into one statement."""
    waiting = iter(values)
    while some := list(islice(waiting, VALUES_AT_ONCE)):
        yield some


# The driver's own cursor, in SQLAlchemy's transaction: what SQLAlchemy does for each statement costs more than most of
# these statements themselves. The price is that errors come as the driver's own.


def _read(connection: Connection, sql: str, values: tuple[object, ...]) -> Sequence[Any]:
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _write(connection: Connection, sql: str, parameters: list[Values]) -> None:
    if parameters:
        with closing(connection.connection.cursor()) as cursor:
            cursor.executemany(sql, parameters)
