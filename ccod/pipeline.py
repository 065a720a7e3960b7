"""The way of a line: records → entries → storage → bus. The transcript file is the queue, so there is none here."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import NoReturn

import structlog
import trio

from ccod.bus import Bus
from ccod.errors import CcodError, PluginError, StorageUnavailableError
from ccod.events import Stored
from ccod.health import Health, Progress, Reason
from ccod.limits import answers
from ccod.metrics import Metrics
from ccod.model import Batch, Checkpoint, Entry, Stream, Unparsed
from ccod.parsing import Parsing
from ccod.roles import Parser, Storage
from ccod.tally import Tally

AT_ONCE = 8
"""So many batches of a source may be under way, live ones and history each."""
MOST_WAITING = 100
"""So many more may a source of others have sent, before it is told that it floods."""
MOST_BYTES = 2**26
PASSED_OVER_SECONDS = 1.0
"""So long may live batches go before what can wait, once these never end."""
RETRY_SECONDS = (0.25, 2.0)
UPKEEP_SECONDS = (0.02, 2.0)
"""The pause between two steps of maintenance while there is work, and while there is none."""
UPKEEP_BESIDE_HISTORY_SECONDS = 2.0
"""The pause while history is read: what it tells is to be seen first, and found by search and packed after that."""

STORAGE_FIX = "it is tried again; mend or update the plugin, or choose another with `storage = …`"

log = structlog.get_logger("ccod.pipeline")


class Turn:
    """A lock that is handed to those with live records first, and once a while to one of the others all the same."""

    def __init__(self) -> None:
        self._held = False
        self._passed_over_since = 0.0  # since when nobody of the others had a turn
        self._live = trio.lowlevel.ParkingLot()
        self._history = trio.lowlevel.ParkingLot()

    @property
    def waiting_live(self) -> int:
        """How many wait for their turn with live records."""
        return len(self._live)

    @property
    def waiting_history(self) -> int:
        """How many wait for their turn with what may wait."""
        return len(self._history)

    @asynccontextmanager
    async def take(self, *, history: bool) -> AsyncIterator[None]:
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._held:
            if history and not self._history:
                self._passed_over_since = trio.current_time()
            await (self._history if history else self._live).park()
        self._held = True
        try:
            yield
        finally:
            self._hand_over()

    def _hand_over(self) -> None:
        now = trio.current_time()
        if self._history and (not self._live or now - self._passed_over_since >= PASSED_OVER_SECONDS):
            self._history.unpark()
            self._passed_over_since = now
        elif self._live:
            self._live.unpark()
        else:
            self._held = False


class Pipeline:
    """Takes one batch at a time to the end of its way. Run it beside the sources: it raises what ends the daemon."""

    def __init__(  # noqa: PLR0913
        self,
        parsers: Mapping[str, Parser],
        storage: Storage,
        bus: Bus,
        health: Health,
        metrics: Metrics | None = None,
        *,
        fault: Callable[[str, str], object] = lambda _form, _problem: None,
    ) -> None:
        """`fault` is called with the format whose parser did something wrong, and what."""
        self._parsing = Parsing(parsers, fault)
        self._fault = fault
        self._storage = storage
        self._bus = bus
        self._health = health
        self._tally = Tally(metrics or Metrics())
        self.turn = Turn()
        self._answered_at = trio.current_time()
        self._history_at = -math.inf  # when history was stored last
        self._failed = trio.Event()
        self._failure: Exception | None = None
        self._refusals: dict[str, StorageUnavailableError] = {}
        self._warned: set[tuple[str, str]] = set()

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Wait for an error that no retry mends, and raise it: storage closes, and checkpoints resume."""
        task_status.started()
        await self._failed.wait()
        assert self._failure is not None
        raise self._failure

    def intake(self, source: str, maker: str = "") -> SourceIntake:
        """Return the door of a source, which is that of a `maker`, a plugin of others, or one of ccod's own."""
        return SourceIntake(source, self, self._storage, self._health, maker)

    async def take(self, source: str, batch: Batch, maker: str = "") -> None:
        """Parse, store and publish one batch. What storage has begun is finished, even when its source is cancelled.

        Raises what no retry mends where the batch is that of a `maker`, and else lets `run` raise it.
        """
        entries = await self._parsing.parse(batch)
        pause = RETRY_SECONDS[0]
        try:
            while (taken := await self._try(source, batch, entries, maker)) is None:
                await trio.sleep(pause)
                pause = min(2 * pause, RETRY_SECONDS[1])
        finally:
            self._forget_refusal(source)  # also where the source was cancelled meanwhile
        self._tally.published(batch)
        self._tally.count(source, batch, taken)
        self._note(batch, taken)

    async def _try(
        self, source: str, batch: Batch, entries: Sequence[Entry | Unparsed], maker: str
    ) -> Sequence[Entry | Unparsed] | None:
        """Store and publish a batch in its turn; return what was made of it, or None where storage cannot write now.

        The turn is given back then, so that whoever else waits for it hears that too.
        """
        async with self.turn.take(history=batch.history):
            try:
                stored, taken = await self._store_somehow(source, batch, entries)
            except StorageUnavailableError as error:
                self._note_refusal(source, error)
                return None
            except Exception as error:
                if isinstance(error, PluginError):
                    self._note_refusal(source, StorageUnavailableError(str(error), "STORAGE_FAILED", STORAGE_FIX))
                    return None
                if maker:
                    raise  # it is the batch, most likely; where it is not, a source of ccod's own meets it too
                await self._give_up(error)  # and keep the turn: nothing more is stored
            self._answered_at = trio.current_time()
            if batch.history:
                self._history_at = self._answered_at
            self._bus.publish(stored)
            return taken

    @property
    def silence(self) -> float:
        """Seconds since the storage answered last, if only that it cannot write. `maintain` asks it every few."""
        return trio.current_time() - self._answered_at

    async def _give_up(self, error: Exception) -> NoReturn:
        """Let `run` raise the error, which cancels everything."""
        self._failure = self._failure or error
        self._failed.set()
        await trio.sleep_forever()

    async def change(self, work: Callable[[], Awaitable[Stored | None]]) -> Stored | None:
        """Let the storage do other work in its turn, so that what it changes is published in order."""
        async with self.turn.take(history=True):
            stored = await work()
            if stored is not None:
                self._bus.publish(stored)
            return stored

    async def maintain(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Give the storage time for what can wait, a step at a time, so that no live line waits for long."""
        step = partial(self._storage.maintain, self._health)
        task_status.started()
        while True:
            try:
                did_something = await self.change(step) is not None
            except StorageUnavailableError as error:
                did_something = False
                self._note_refusal("upkeep", error)
            else:
                self._answered_at = trio.current_time()
                self._forget_refusal("upkeep")
            await self._rest(self._pause() if did_something else UPKEEP_SECONDS[1])

    async def _rest(self, seconds: float) -> None:
        """Wait until it is time for the next step, or until storage calls for it."""
        until = trio.current_time() + seconds
        await trio.sleep(UPKEEP_SECONDS[0])  # however often it calls
        with trio.move_on_at(until):
            await self._storage.called()

    def _pause(self) -> float:
        reads_history = trio.current_time() - self._history_at < UPKEEP_BESIDE_HISTORY_SECONDS
        return UPKEEP_BESIDE_HISTORY_SECONDS if reads_history else UPKEEP_SECONDS[0]

    async def _store_somehow(
        self, source: str, batch: Batch, entries: Sequence[Entry | Unparsed]
    ) -> tuple[Stored, Sequence[Entry | Unparsed]]:
        """Store a batch; if storage chokes on its entries, keep their bytes and set them aside. Return those too."""
        try:
            return await self._store(source, batch, entries), entries
        except StorageUnavailableError:
            raise
        except Exception as error:
            if not entries:
                raise
            reason = f"not stored: {type(error).__name__}"
            aside: list[Entry | Unparsed] = [Unparsed(entry.offset, entry.length, reason) for entry in entries]
            stored = await self._store(source, batch, aside)
            log.error(
                "storage refused a batch; its bytes are kept",
                file=batch.stream.path,
                offset=entries[0].offset,
                exc_info=error,
            )
            self._health.count("refused", len(entries))
            self._fault(batch.stream.format, f"storage refused what it understood: {type(error).__name__}: {error}")
            return stored, aside

    async def _store(self, source: str, batch: Batch, entries: Sequence[Entry | Unparsed]) -> Stored:
        with trio.CancelScope(shield=True):
            stored = await self._storage.append(source, batch, entries)
        return stored  # noqa: RET504 - to mypy the scope could end in silence

    def _note_refusal(self, who: str, error: StorageUnavailableError) -> None:
        """Storage cannot write for `who`, which will try again: `/health` tells until that has worked."""
        self._answered_at = trio.current_time()
        before = self._refusals.get(who)
        self._refusals[who] = error
        self._tell_storage()
        if before is None or before.code != error.code:
            log.warning("storage is unavailable, it is tried again", reason=str(error))

    def _forget_refusal(self, who: str) -> None:
        if self._refusals.pop(who, None) is not None:
            self._tell_storage()
            if not self._refusals:
                log.info("storage is available again")

    def _tell_storage(self) -> None:
        reasons = {Reason(error.code, error.problem, error.fix): None for error in self._refusals.values()}
        self._health.set("storage", "degraded" if reasons else "running", *reasons)

    def _note(self, batch: Batch, entries: Sequence[Entry | Unparsed]) -> None:
        """Count what came in; name what is unreadable or mended once a stream, by place and never by content."""
        unparsed = [(entry.offset, entry.reason) for entry in entries if isinstance(entry, Unparsed)]
        mended = [(entry.offset, entry.mended) for entry in entries if isinstance(entry, Entry) and entry.mended]
        self._health.count("entries", len(entries) - len(unparsed))
        for counter, event, found in (("unparsed", "unreadable record", unparsed), ("mended", "record mended", mended)):
            if not found:
                continue
            self._health.count(counter, len(found))
            if (counter, batch.stream.key) not in self._warned:
                self._warned.add((counter, batch.stream.key))
                offset, reason = found[0]
                log.warning(event, file=batch.stream.path, offset=offset, reason=reason)


class FloodError(CcodError):
    """A source sends more than can be taken."""


class SourceIntake:
    """The door of one source: see `ccod.roles.Intake`."""

    def __init__(self, source: str, pipeline: Pipeline, storage: Storage, health: Health, maker: str) -> None:
        self._source = source
        self._pipeline = pipeline
        self._storage = storage
        self._health = health
        self._maker = maker
        self._told: set[str] = set()
        self._doors = {history: trio.Semaphore(AT_ONCE) for history in (False, True)}

    async def checkpoints(self) -> Sequence[tuple[Stream, Checkpoint]]:
        return await self._storage.checkpoints(self._source)

    async def send(self, batch: Batch) -> None:
        answers(Batch, batch)
        door = self._doors[bool(batch.history)]
        if self._maker:
            self._require_measure(batch, door)
        async with door:  # however many send, others come between
            await self._pipeline.take(self._source, batch, self._maker)

    def _require_measure(self, batch: Batch, door: trio.Semaphore) -> None:
        if door.statistics().tasks_waiting >= MOST_WAITING:
            raise FloodError(f"{MOST_WAITING} batches wait to be stored; send the next once one is")
        if sum(len(record.body) for record in batch.records) > MOST_BYTES:
            raise FloodError(f"a batch holds more than {MOST_BYTES} bytes; send long lines in pieces")

    def progress(self, done: int, total: int) -> None:
        self._health.backfill[self._source] = Progress(done, total)

    def tell(self, reasons: Sequence[Reason]) -> None:
        new = {reason.code for reason in reasons}
        for reason in reasons:
            if reason.code not in self._told:
                log.warning("records may be late or missing", source=self._source, reason=reason.text, fix=reason.fix)
        if self._told and not new:
            log.info("records come in time again", source=self._source)
        self._told = new
        self._health.tell(f"source {self._source}", reasons)
