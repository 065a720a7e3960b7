"""The bench of PostgreSQL measures what it says: the same rows on both engines and by COPY."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import postgres, size
from tests.bench.corpus import build
from tests.postgres import reason_to_skip

if reason := reason_to_skip():
    pytest.skip(reason, allow_module_level=True)


async def test_a_small_corpus_is_read_on_both_engines_and_copied(tmp_path: Path) -> None:
    corpus = build(tmp_path / "corpus", 300_000)
    figures = await postgres.measure(tmp_path, corpus, rounds=1, rest_size=None, collectors=[1])
    assert figures.sqlite.messages == figures.postgres.messages > 0
    assert figures.postgres.cpu > 0
    assert figures.postgres.beside > 0
    assert figures.copy.rows > corpus.total.lines
    assert 0 < figures.sizes["entries"] < figures.sizes[size.WHOLE]
    (one,) = figures.collected
    assert one.daemons == 1
    assert one.lines > 0
    assert len(postgres.lines(figures)) > 10
