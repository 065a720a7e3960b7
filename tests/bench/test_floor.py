"""The floor program does the same work: it stores what stands in the corpus."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.bench.corpus import build
from tests.bench.floor import ingest


def test_the_floor_stores_every_line_response_and_tool_call(tmp_path: Path) -> None:
    corpus = build(tmp_path, 400_000)
    lines = ingest(corpus.root, tmp_path / "floor.db")
    total = corpus.total
    queries = {
        "SELECT count(*) FROM entries": total.lines,
        "SELECT count(*) FROM entries WHERE role IS NOT NULL": total.messages,
        "SELECT count(*) FROM responses": total.responses,
        "SELECT sum(output_tokens) FROM responses": total.output_tokens,
        "SELECT count(*) FROM tool_calls WHERE result_entry_id IS NOT NULL": total.tool_uses,
        "SELECT sum(is_error) FROM tool_calls": total.tool_errors,
        "SELECT sum(length) FROM blocks": total.bytes,
    }
    with closing(sqlite3.connect(tmp_path / "floor.db")) as connection:
        assert {query: connection.execute(query).fetchone()[0] for query in queries} == queries
    assert lines == total.lines
