"""A synthetic history gives the numbers that were put into it."""

from __future__ import annotations

from pathlib import Path

from tests.bench.corpus import Corpus, build
from tests.bench.ingest import backfilled, roots
from tests.e2e.daemon import open_daemon

NAMES = {
    "messageCount": "messages",
    "userMessageCount": "user_messages",
    "assistantMessageCount": "assistant_messages",
    "responseCount": "responses",
    "toolUsageCount": "tool_uses",
    "toolErrorCount": "tool_errors",
}


def expected(corpus: Corpus) -> dict[str, dict[str, int]]:
    """Return what each conversation must show: its own numbers, and how many subagents it had."""
    return {
        file.session: {shown: getattr(file.counts, name) for shown, name in NAMES.items()}
        | {"outputTokens": file.counts.output_tokens}
        | {"subagentCount": sum(other.agent is not None for other in corpus.files if other.session == file.session)}
        for file in corpus.files
        if file.agent is None
    }


async def test_each_conversation_shows_what_was_written(tmp_path: Path) -> None:
    corpus = build(tmp_path / "corpus", 4_000_000)
    right = expected(corpus)
    async with open_daemon(tmp_path / "home", roots(corpus)) as daemon:
        await backfilled(daemon)
        found = {c["id"]: c | c["usage"] for c in await daemon.items("/api/conversations")}
        assert {s: {name: found[s][name] for name in names} for s, names in right.items()} == right
        projects = {project["claudePath"]: project for project in await daemon.items("/api/projects")}
        assert set(projects) == {file.cwd for file in corpus.files}
        assert sum(project["conversationCount"] for project in projects.values()) == len(right)
