"""Finds messages by what they say. Work is bounded: no search looks at more than the newest matches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, TextClause, text

from ccod import Found, Hit, SearchQuery
from ccod_sql import messages

CANDIDATES = 20_000
RANKED_CANDIDATES = 2_000

FILTERS = {
    "project": "(p.key = :project OR p.name = :project)",
    "role": "e.role = :role",
    "model": "instr(lower(r.model), lower(:model)) > 0",
    "since": "e.at >= :since",
    "until": "e.at <= :until",
    "tool": (
        "(EXISTS (SELECT 1 FROM tool_calls t WHERE t.use_entry_id = e.id AND t.name = :tool) OR "
        "EXISTS (SELECT 1 FROM tool_calls t WHERE t.result_entry_id = e.id AND t.name = :tool))"
    ),
    "error": "(e.error OR EXISTS (SELECT 1 FROM tool_calls t WHERE t.result_entry_id = e.id AND t.is_error)) = :error",
}

HITS = """
WITH candidates AS MATERIALIZED (
    SELECT rowid AS id, {score} AS score FROM search
    WHERE search MATCH :match AND rowid < :before ORDER BY rowid DESC LIMIT :candidates
)
SELECT e.id, c.title, p.key AS project, p.name AS project_name,
    (SELECT t.name FROM tool_calls t WHERE t.use_entry_id = e.id ORDER BY t.use_index LIMIT 1) AS used,
    (SELECT t.name FROM tool_calls t WHERE t.result_entry_id = e.id LIMIT 1) AS answered
FROM candidates
JOIN entries e ON e.id = candidates.id AND e.role IS NOT NULL
JOIN conversations c ON c.id = e.conversation_id
LEFT JOIN projects p ON p.id = c.project_id
LEFT JOIN responses r ON r.id = e.response_id
{where}
ORDER BY {order} LIMIT :limit
"""
LAST = """
SELECT id, count(*) OVER () AS seen FROM (
    SELECT rowid AS id FROM search WHERE search MATCH :match AND rowid < :before ORDER BY rowid DESC LIMIT :candidates
) ORDER BY id LIMIT 1
"""


def find(connection: Connection, query: SearchQuery) -> Found:
    """Return the hits that `query` asks for, and where to go on."""
    values = _values(query)
    rows = connection.execute(_statement(query), values).mappings().all()
    found = {message.sequence: message for message in messages.with_ids(connection, [row["id"] for row in rows])}
    hits = [_hit(row, found[row["id"]]) for row in rows if row["id"] in found]
    return Found(hits, None if query.ranked else _rest(connection, query, values, rows))


def _rest(connection: Connection, query: SearchQuery, values: dict[str, Any], rows: Sequence[RowMapping]) -> int | None:
    """Return where the next page begins: behind the last hit, or where the search gave up."""
    if len(rows) == query.limit:
        return int(rows[-1]["id"])
    last = connection.execute(text(LAST), values).one_or_none()
    return int(last.id) if last and last.seen == CANDIDATES else None


def _hit(row: RowMapping, message: Any) -> Hit:
    return Hit(message, row["title"], row["project"], row["project_name"] or "", row["used"] or row["answered"])


def _values(query: SearchQuery) -> dict[str, Any]:
    given = {name: getattr(query, name) for name in FILTERS}
    return {
        **{name: value for name, value in given.items() if value is not None},
        "match": " ".join(map(_quoted, query.terms)),
        "before": query.before or 2**62,
        "candidates": RANKED_CANDIDATES if query.ranked else CANDIDATES,
        "limit": query.limit,
    }


def _statement(query: SearchQuery) -> TextClause:
    """Put the statement together from fixed parts: what the user wrote comes in as values only."""
    where = [condition for name, condition in FILTERS.items() if getattr(query, name) is not None]
    return text(
        HITS.format(
            score="bm25(search)" if query.ranked else "0",
            where="WHERE " + " AND ".join(where) if where else "",
            order="candidates.score, e.id DESC" if query.ranked else "e.id DESC",
        )
    )


def _quoted(term: str) -> str:
    """Return a term as FTS5 takes it for nothing but text."""
    return '"' + term.encode(errors="replace").decode().replace("\0", " ").replace('"', '""') + '"'
