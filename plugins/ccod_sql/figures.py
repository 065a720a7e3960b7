"""Reads what went on over all conversations from the figures of quarters of an hour, and from nothing below them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from operator import add
from typing import Any, Literal

from msgspec.structs import astuple, replace
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    func,
    select,
)

from ccod import (
    QUARTER_MS,
    FigureQuery,
    Figures,
    ModelUsage,
    Overview,
    ProjectFigures,
    SpanUsage,
    ToolFigures,
    Totals,
    Usage,
)
from ccod_sql import owners
from ccod_sql.dialects import SPANS, as_spans
from ccod_sql.tables import TOKENS, conversations, message_quarters, model_quarters, projects, tool_quarters

By = Literal["span", "project"]
Found = Sequence[Sequence[Any]]
"""Rows of sums, each with what it is grouped by in front."""

KEYS: Mapping[By, ColumnElement[Any]] = {
    "span": SPANS.c.start,
    "project": conversations.c.project_id,
}
PROJECT = select(projects.c.id).where(projects.c.key == bindparam("project")).scalar_subquery()


def sums(table: Table, *names: str) -> list[ColumnElement[Any]]:
    return [func.sum(table.c[name]) for name in names]


USED = sums(model_quarters, *TOKENS, "cost_nanos", "response_count", "unpriced_count")
SPOKEN = [
    func.count(message_quarters.c.conversation_id.distinct()),
    *sums(message_quarters, "user_count", "assistant_count"),
]
CALLED = sums(tool_quarters, "call_count", "pending_count", "error_count")
TIMED = sums(tool_quarters, "timed_count", "duration_ms")


def time_of_all(connection: Connection, machines: owners.Machines = None) -> tuple[int, int] | None:
    """Return from when to before when there are figures."""
    tables = (message_quarters, model_quarters, tool_quarters)
    # Two statements for each: SQLite looks up one end of an index at once, but not both.
    theirs = [(table.c.quarter, owners.whose(table.c.conversation_id, machines)) for table in tables]
    starts = [connection.scalar(select(func.min(quarter)).where(*where)) for quarter, where in theirs]
    ends = [connection.scalar(select(func.max(quarter)).where(*where)) for quarter, where in theirs]
    first = min((start for start in starts if start is not None), default=None)
    if first is None:
        return None
    return first * QUARTER_MS, (max(end for end in ends if end is not None) + 1) * QUARTER_MS


def usage(connection: Connection, query: FigureQuery) -> Sequence[SpanUsage]:
    """Return what was used, by span and model."""
    found = _rows(connection, query, model_quarters, "span", USED, model_quarters.c.model)
    return [SpanUsage(start * QUARTER_MS, model, totals(used)) for start, model, *used in found]


def overview(connection: Connection, query: FigureQuery) -> Overview:
    """Return what went on. Each table is read twice, by span and by project: all else adds up from projects."""
    query = replace(query, model=None)
    spoken = _rows(connection, query, message_quarters, "project", SPOKEN)
    called = _rows(connection, query, tool_quarters, "project", [*CALLED, *TIMED], tool_quarters.c.name)
    used = _rows(connection, query, model_quarters, "project", USED, model_quarters.c.model)
    by_project = _figures(
        spoken, [(id_, *counts[: len(CALLED)]) for id_, _, *counts in called], [(id_, *sums) for id_, _, *sums in used]
    )
    by_span = _figures(
        _rows(connection, query, message_quarters, "span", SPOKEN),
        _rows(connection, query, tool_quarters, "span", CALLED),
        _rows(connection, query, model_quarters, "span", USED),
    )
    return Overview(
        figures=sum(by_project.values(), Figures()),
        average_duration_ms=_average_duration(connection, query),
        spans=[(start * QUARTER_MS, by_span[start]) for start in sorted(by_span)],
        projects=_projects(connection, by_project),
        models=_models(used),
        tools=_tools(called),
    )


def totals(used: Sequence[int]) -> Totals:
    """Return what the columns of `USED` say."""
    return Totals(Usage(*used[: len(TOKENS)]), *used[len(TOKENS) :])


def _figures(spoken: Found, called: Found, used: Found) -> dict[Any, Figures]:
    """Add up what rows say of what they begin with. No two of `spoken` begin with the same."""
    found: dict[Any, Figures] = defaultdict(Figures)
    for key, *counts in spoken:
        found[key] += Figures(*counts)
    for key, calls, pending, errors in called:
        found[key] += Figures(tool_call_count=calls, tool_pending_count=pending, tool_error_count=errors)
    for key, *amounts in used:
        found[key] += Figures(totals=totals(amounts))
    return found


def _projects(connection: Connection, found: Mapping[int | None, Figures]) -> list[ProjectFigures]:
    columns = select(projects.c.id, projects.c.key, projects.c.name, projects.c.last_activity)
    named = {row.id: (row.key, row.name, row.last_activity) for row in connection.execute(columns)}
    return [ProjectFigures(*named.get(id_, (None, None, None)), figures) for id_, figures in found.items()]


def _models(used: Found) -> list[ModelUsage]:
    found: dict[str, Totals] = defaultdict(Totals)
    for _, model, *amounts in used:
        found[model] += totals(amounts)
    return [ModelUsage(model, summed) for model, summed in found.items()]


def _tools(called: Found) -> list[ToolFigures]:
    found: dict[str, ToolFigures] = {}
    for _, name, *counts in called:
        before = found.get(name)
        added = counts if before is None else map(add, astuple(before)[1:], counts)
        found[name] = ToolFigures(name, *added)
    return list(found.values())


def _average_duration(connection: Connection, query: FigureQuery) -> int | None:
    c = conversations.c
    spoken = _within(select(message_quarters.c.conversation_id), message_quarters)
    average = select(func.avg(c.updated_at - c.created_at)).where(c.id.in_(spoken))
    if query.project_id is not None:
        average = average.where(c.project_id == PROJECT)
    average = average.where(*owners.of(c.machine_id, query.machines))
    found = connection.scalar(average, _parameters(query))
    return None if found is None else round(found)


def _rows(
    connection: Connection,
    query: FigureQuery,
    table: Table,
    by: By,
    columns: Sequence[ColumnElement[Any]],
    *also: ColumnElement[Any],
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return sums of `table`, each with what it is grouped by."""
    source: FromClause = table
    if by == "project" or query.project_id is not None or query.machines is not None:
        source = source.join(conversations, conversations.c.id == table.c.conversation_id)
    if by == "span":
        source = SPANS.join(source, and_(table.c.quarter >= SPANS.c.start, table.c.quarter < SPANS.c.end))
    keys = (KEYS[by], *also)
    statement = select(*keys, *columns).select_from(source).group_by(*keys)
    if by != "span":  # spans say it too, and SQLite would take the whole time for each of them
        statement = _within(statement, table)
    if query.project_id is not None:
        statement = statement.where(conversations.c.project_id == PROJECT)
    statement = statement.where(*owners.of(conversations.c.machine_id, query.machines))
    if query.model is not None:
        statement = statement.where(table.c.model == bindparam("model"))
    parameters = _parameters(query)
    if by == "span":
        edges = [edge // QUARTER_MS for edge in query.edges]
        parameters["spans"] = as_spans(pairwise(edges))
    return connection.execute(statement, parameters).all()


def _within(statement: Select[Any], table: Table) -> Select[Any]:
    return statement.where(table.c.quarter >= bindparam("first"), table.c.quarter < bindparam("end"))


def _parameters(query: FigureQuery) -> dict[str, Any]:
    named = {"project": query.project_id, "model": query.model}
    ends = {"first": query.edges[0] // QUARTER_MS, "end": query.edges[-1] // QUARTER_MS}
    return ends | {name: value for name, value in named.items() if value is not None}
