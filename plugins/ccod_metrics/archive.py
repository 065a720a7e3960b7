"""What the storage holds, in figures: under the names that dashboards of Claude Code's own telemetry ask for."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

import structlog
import trio
from msgspec import Struct
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ccod import ConversationQuery, FigureQuery, Redactor, Storage, StorageFacts, Totals, Values

KEPT_SECONDS = 5.0
"""How long figures are good, whatever is stored meanwhile: during a backfill that is always something."""
PATIENCE_SECONDS = 3.0
"""How long a reader waits for new ones; it gets the old ones then."""

log = structlog.get_logger("ccod.metrics")


class Sums(Struct, frozen=True):
    """What the storage said: `used` by model."""

    facts: StorageFacts
    sessions: int
    used: Mapping[str, Totals]


class Archive(Collector):
    """Asks the storage in a task of its own, so that a reader waits for no longer than it wants to."""

    def __init__(self, storage: Storage, redactor: Redactor) -> None:
        self._storage = storage
        self._redactor = redactor
        self._models = Values()
        self._sums: Sums | None = None
        self._revision: int | None = None
        self._looked_at = -math.inf
        self._wanted = trio.Event()
        self._looked = trio.Event()

    async def run(self) -> None:
        """Look up the figures whenever somebody wants them."""
        while True:
            await self._wanted.wait()
            await self._look()
            self._wanted = trio.Event()
            self._looked.set()
            self._looked = trio.Event()

    async def refresh(self) -> None:
        """See to it that the figures are not old, if the storage answers soon."""
        is_young = trio.current_time() - self._looked_at < KEPT_SECONDS
        if is_young or (self._revision is not None and self._storage.revision == self._revision):
            return
        looked = self._looked
        self._wanted.set()
        with trio.move_on_after(PATIENCE_SECONDS):
            await looked.wait()

    def collect(self) -> Iterable[Metric]:
        return () if self._sums is None else _families(self._sums)

    async def _look(self) -> None:
        """A storage that fails leaves the figures as they were: all others are told of even so."""
        revision = self._storage.revision
        try:
            self._sums = await self._ask()
        except Exception as error:  # noqa: BLE001
            log.warning("the storage gives no figures", reason=f"{type(error).__name__}: {error}")
        else:
            self._revision = revision
        self._looked_at = trio.current_time()

    async def _ask(self) -> Sums:
        facts = await self._storage.facts()
        conversations = await self._storage.conversations(ConversationQuery(limit=1))
        time = await self._storage.figured()
        used: dict[str, Totals] = defaultdict(Totals)
        spans = () if time is None else await self._storage.usage(FigureQuery(time))
        for span in sorted(spans, key=lambda span: -span.totals.usage.total_tokens):
            if span.totals.usage.total_tokens or span.totals.unpriced_count:  # what used nothing is a local notice
                used[self._models(self._redactor.mask(span.model))] += span.totals
        return Sums(facts, conversations.total, used)


def _families(sums: Sums) -> Iterable[Metric]:
    cost = CounterMetricFamily(
        "claude_code_cost_usage_USD",
        "Cost at list price in US dollars, by model; each API response counts once.",
        labels=["model"],
        unit="USD",
    )
    tokens = CounterMetricFamily(
        "claude_code_token_usage_tokens",
        "Tokens by type (input, output, cacheRead, cacheCreation) and model; each API response counts once.",
        labels=["type", "model"],
        unit="tokens",
    )
    unpriced = GaugeMetricFamily(
        "ccod_unpriced_responses",
        "API responses whose price is not known, by model: no cost is in them.",
        labels=["model"],
    )
    for model, totals in sums.used.items():
        cost.add_metric([model], totals.cost_nanos / 1e9)
        unpriced.add_metric([model], totals.unpriced_count)
        for kind, count in (
            ("input", totals.usage.input_tokens),
            ("output", totals.usage.output_tokens),
            ("cacheRead", totals.usage.cache_read_tokens),
            ("cacheCreation", totals.usage.cache_creation_tokens),
        ):
            tokens.add_metric([kind, model], count)
    yield cost
    yield tokens
    yield unpriced
    yield CounterMetricFamily("claude_code_session_count", "Conversations that are stored.", sums.sessions)
    yield GaugeMetricFamily("ccod_db_file_bytes", "Size of the database file.", sums.facts.size, unit="bytes")
    yield GaugeMetricFamily(
        "ccod_db_wal_bytes", "Size of the database's journal beside it.", sums.facts.journal, unit="bytes"
    )
