"""Finds messages by what they say. Work is bounded: no search looks at more than the newest matches."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, RowMapping, TextClause, bindparam, text

from ccod import Found, Hit, SearchQuery
from ccod_sql import indexing, keys, messages
from ccod_sql.rollups import folder_name
from ccod_sql.texts import Wording, index_of

CANDIDATES = 20_000
RANKED_CANDIDATES = 2_000
SPECIAL = re.compile("[%_/]")
"""What has a meaning in a pattern."""

FILTERS = {
    "project": "(p.key = :project OR p.name = :project)",
    "role": "e.role = :role",
    "model": "lower(r.model) LIKE '%' || lower(:model) || '%' ESCAPE '/'",
    "since": "e.at >= :since",
    "until": "e.at <= :until",
    "tool": (
        "(EXISTS (SELECT 1 FROM tool_calls t WHERE t.use_entry_id = e.id AND t.name = :tool) OR "
        "EXISTS (SELECT 1 FROM tool_calls t WHERE t.result_entry_id = e.id AND t.name = :tool))"
    ),
    "error": "(e.error OR EXISTS (SELECT 1 FROM tool_calls t WHERE t.result_entry_id = e.id AND t.is_error)) = :error",
}

LAST_CANDIDATE = """
SELECT {key} FROM search WHERE {matches} AND {key} >= :first AND {key} < :end
ORDER BY {key} DESC LIMIT 1 OFFSET :candidates - 1
"""
OF_MACHINES = "c.machine_id IN (SELECT id FROM machines WHERE name IN :machines)"
HITS = """
SELECT e.id, {key} AS key, c.title, c.file_path, p.key AS project, p.name AS project_name,
    (SELECT t.name FROM tool_calls t WHERE t.use_entry_id = e.id ORDER BY t.use_index LIMIT 1) AS used,
    (SELECT t.name FROM tool_calls t WHERE t.result_entry_id = e.id LIMIT 1) AS answered
FROM search
{join} search_keys k ON k.key = {key}
{join} entries e ON e.id = k.entry_id AND e.role IS NOT NULL
{join} conversations c ON c.id = e.conversation_id
LEFT JOIN projects p ON p.id = c.project_id
LEFT JOIN responses r ON r.id = e.response_id
WHERE {matches} AND {key} >= :first AND {key} < :end {filters}
ORDER BY {order} LIMIT :limit
"""


def find(connection: Connection, query: SearchQuery) -> Found:
    """Return the hits that `query` asks for, and where to go on."""
    index = index_of(connection)
    values = _values(query, index.asked(query.terms))
    # Without filters every match is a hit, and the newest page ends by itself: there is nothing to bound.
    is_narrowed = query.machines is not None or any(getattr(query, name) is not None for name in FILTERS)
    is_bounded = query.ranked or is_narrowed
    last: int | None = connection.scalar(_last(index.wording), values) if is_bounded else None
    if last is not None:
        values["first"] = last
    rows = connection.execute(_statement(query, index.wording), values).mappings().all()
    found = {message.sequence: message for message in messages.with_ids(connection, [row["id"] for row in rows])}
    hits = [_hit(row, found[row["id"]]) for row in rows if row["id"] in found]
    before = rows[-1]["key"] if len(rows) == query.limit else last
    return Found(hits, None if query.ranked else before, indexing.share(connection))


def _hit(row: RowMapping, message: Any) -> Hit:
    project_name = row["project_name"] or folder_name(row["file_path"])
    return Hit(message, row["title"], row["project"], project_name, row["used"] or row["answered"])


def _values(query: SearchQuery, match: str) -> dict[str, Any]:
    given = {name: getattr(query, name) for name in FILTERS}
    if query.model is not None:
        given["model"] = SPECIAL.sub(r"/\g<0>", query.model)
    if query.machines is not None:
        given["machines"] = sorted(query.machines)
    before = keys.END if query.before is None else query.before
    return {
        **{name: value for name, value in given.items() if value is not None},
        "match": match,
        "first": -keys.END if query.since is None else keys.first(query.since),
        "end": before if query.until is None else min(before, keys.end(query.until)),
        "candidates": RANKED_CANDIDATES if query.ranked else CANDIDATES,
        "limit": query.limit,
    }


def _last(wording: Wording) -> TextClause:
    return text(LAST_CANDIDATE.format(key=wording.key, matches=wording.matches))


def _statement(query: SearchQuery, wording: Wording) -> TextClause:
    """Put the statement together from fixed parts: what the user wrote comes in as values only."""
    filters = [f"AND {condition}" for name, condition in FILTERS.items() if getattr(query, name) is not None]
    if query.machines is not None:
        filters.append(f"AND {OF_MACHINES}")
    newest = f"{wording.key} DESC"
    statement = text(
        HITS.format(
            key=wording.key,
            matches=wording.matches,
            join=wording.join,
            filters=" ".join(filters),
            order=f"{wording.rank}, {newest}" if query.ranked else newest,
        )
    )
    return statement if query.machines is None else statement.bindparams(bindparam("machines", expanding=True))
