"""The corpus generator: the same bytes for the same seed, and counts that a second reader agrees with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.bench.corpus import Corpus, build
from tests.bench.transcript import Counts

SIZE = 400_000


def contents(root: Path) -> dict[str, tuple[bytes, int]]:
    return {str(p.relative_to(root)): (p.read_bytes(), p.stat().st_mtime_ns) for p in root.rglob("*.jsonl")}


def recount(path: Path) -> Counts:
    lines = path.read_bytes().splitlines(keepends=True)
    records: list[dict[str, Any]] = [json.loads(line) for line in lines]
    answers = [r for r in records if r["type"] == "assistant"]
    blocks = [b for r in answers for b in r["message"]["content"]]
    results = [
        b
        for r in records
        if r["type"] == "user" and isinstance(r["message"]["content"], list)
        for b in r["message"]["content"]
    ]
    tokens = {(r["message"]["id"], r.get("requestId")): r["message"]["usage"]["output_tokens"] for r in answers}
    return Counts(
        lines=len(lines),
        bytes=sum(map(len, lines)),
        user_messages=len({r["uuid"] for r in records if r["type"] == "user"}),
        assistant_messages=len({r["uuid"] for r in answers}),
        responses=len(tokens),
        tool_uses=len({b["id"] for b in blocks if b["type"] == "tool_use"}),
        tool_errors=sum(b["is_error"] for b in results),
        output_tokens=sum(tokens.values()),
    )


def test_counts_are_those_of_the_files(tmp_path: Path) -> None:
    corpus = build(tmp_path, SIZE)
    assert {file.path for file in corpus.files} == set(corpus.root.rglob("*.jsonl"))
    assert [file.counts for file in corpus.files] == [recount(file.path) for file in corpus.files]
    assert SIZE <= corpus.total.bytes < 1.3 * SIZE


def test_one_seed_gives_one_corpus_whatever_the_hash_seed(tmp_path: Path) -> None:
    first = build(tmp_path / "here", SIZE, seed=3)
    code = f"from pathlib import Path; from tests.bench.corpus import build; build(Path('there'), {SIZE}, 3)"
    environment = {"PYTHONHASHSEED": "99", "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=60)
    assert contents(first.root) == contents(tmp_path / "there" / "projects")
    assert contents(first.root) != contents(build(tmp_path / "other", SIZE, seed=4).root)


def lines_of(corpus: Corpus) -> list[bytes]:
    return [line for file in corpus.files for line in file.path.read_bytes().splitlines()]


def test_it_has_every_shape_that_a_history_has(tmp_path: Path) -> None:
    corpus = build(tmp_path, 4_000_000)
    lines = lines_of(corpus)
    assert {
        "user",
        "assistant",
        "system",
        "summary",
        "file-history-snapshot",
        "attachment",
        "progress",
        "queue-operation",
        "last-prompt",
    } <= {json.loads(line)["type"] for line in lines}
    assert {file.agent is None for file in corpus.files} == {True, False}
    assert all(file.path.parent.name == "subagents" for file in corpus.files if file.agent)
    assert not all(line.isascii() for line in lines)
