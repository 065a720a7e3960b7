"""Figures of the storage: looked up when they are wanted, not too often, and never waited for without end."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock

from ccod import (
    ConversationQuery,
    FigureQuery,
    Redactor,
    SecretRule,
    SpanUsage,
    StorageUnavailableError,
    Totals,
    Usage,
)
from ccod.stored import Conversation, Page
from ccod.testing.shelf import Shelf
from ccod_metrics.archive import KEPT_SECONDS, PATIENCE_SECONDS, Archive


class Books(Shelf):
    """A storage that holds one use of each model; it answers while its gate is open."""

    def __init__(self, *models: str) -> None:
        super().__init__()
        self.models = models
        self.asked = 0
        self.gate = trio.Event()
        self.gate.set()

    async def conversations(self, query: ConversationQuery) -> Page[Conversation]:
        """Be asked."""
        self.asked += 1
        await self.gate.wait()
        return await super().conversations(query)

    async def figured(self, machines: frozenset[str] | None = None) -> tuple[int, int] | None:
        """Hold something."""
        return 0, 1

    async def usage(self, query: FigureQuery) -> Sequence[SpanUsage]:
        """Return one use of each model."""
        used = Totals(
            Usage(input_tokens=1, output_tokens=2, cache_read_tokens=3, cache_creation_5m_tokens=4), 5 * 10**8
        )
        return [SpanUsage(0, model, used) for model in self.models]


def figures(archive: Archive) -> dict[tuple[str, ...], float]:
    return {(s.name, *s.labels.values()): s.value for family in archive.collect() for s in family.samples}


def model_names(archive: Archive) -> set[str]:
    return {s.labels["model"] for family in archive.collect() for s in family.samples if "model" in s.labels}


async def test_the_names_of_the_dashboards_say_what_is_stored(nursery: trio.Nursery) -> None:
    archive = Archive(Books("m"), Redactor())
    nursery.start_soon(archive.run)
    assert figures(archive) == {}
    await archive.refresh()
    found = figures(archive)
    assert found["claude_code_cost_usage_USD_total", "m"] == 0.5
    kinds = ("input", "output", "cacheRead", "cacheCreation")
    assert [found["claude_code_token_usage_tokens_total", kind, "m"] for kind in kinds] == [1, 2, 3, 4]
    assert found["claude_code_session_count_total",] == 0


async def test_models_are_few_harmless_and_masked(nursery: trio.Nursery) -> None:
    many = [f"model-{number}" for number in range(100)]
    hostile = ["a\nb", "x" * 100, "<synthetic>", "", "key-hunter2hunter2hunter2"]
    rules = [SecretRule("key", r"key-\w+", starts=["key-"])]
    archive = Archive(Books(*hostile, *many), Redactor(rules))
    nursery.start_soon(archive.run)
    await archive.refresh()
    names = model_names(archive)
    assert "other" in names
    assert not names & {*hostile}
    assert len(names) == 65
    total = sum(
        v for key, v in figures(archive).items() if key[:2] == ("claude_code_token_usage_tokens_total", "output")
    )
    assert total == 2 * (len(many) + len(hostile))


async def test_what_has_not_changed_is_not_asked_for_again(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    books = Books("m")
    books.revision = 7
    archive = Archive(books, Redactor())
    nursery.start_soon(archive.run)
    await archive.refresh()
    await trio.sleep(100 * KEPT_SECONDS)
    await archive.refresh()
    assert books.asked == 1
    books.revision = 8
    await archive.refresh()
    assert books.asked == 2
    for number in range(9, 20):
        books.revision = number
        await archive.refresh()
    assert books.asked == 2  # young enough
    await trio.sleep(KEPT_SECONDS)
    await archive.refresh()
    assert books.asked == 3


async def test_a_storage_that_is_slow_is_not_waited_for(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    books = Books("old")
    archive = Archive(books, Redactor())
    nursery.start_soon(archive.run)
    await archive.refresh()
    books.models, books.gate = ("new",), trio.Event()
    for _ in range(3):
        await trio.sleep(KEPT_SECONDS)
        began = trio.current_time()
        await archive.refresh()
        assert trio.current_time() - began == pytest.approx(PATIENCE_SECONDS)
        assert model_names(archive) == {"old"}
    assert books.asked == 2  # nothing piles up
    books.gate.set()
    await archive.refresh()
    await trio.sleep(KEPT_SECONDS)
    await archive.refresh()
    assert model_names(archive) == {"new"}


async def test_a_storage_that_fails_is_asked_again(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    books = Books("m")
    books.failure = StorageUnavailableError("disk full")
    archive = Archive(books, Redactor())
    nursery.start_soon(archive.run)
    await archive.refresh()
    assert figures(archive) == {}
    books.failure = None
    await trio.sleep(KEPT_SECONDS)
    await archive.refresh()
    assert model_names(archive) == {"m"}
