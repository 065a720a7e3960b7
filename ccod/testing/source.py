"""What every source must do. Tests inherit `SourceContract` and offer the fixture `world`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import trio

from ccod import Intake, Source
from ccod.testing.intake import PATIENCE, MemoryIntake


class World(Protocol):
    """Where a source finds its records: in a folder below `tmp_path`, say."""

    def source(self) -> Source:
        """Return a source that reads this world; another one each time, as after a restart."""

    def write(self) -> bytes:
        """Let one more record come into the world, complete, in a stream that is there or not; return its bytes."""


class SourceContract:
    """The role `Source`, observed from outside."""

    async def test_it_has_a_name_and_says_where_it_reads(self, world: World) -> None:
        source = world.source()
        assert source.name
        assert all(root.startswith("/") for root in source.roots)

    async def test_what_was_there_is_sent(self, world: World) -> None:
        written = world.write() + world.write()
        intake = MemoryIntake()
        async with _running(world.source(), intake):
            await _has(intake, len(written))
        assert _size(intake) == len(written)

    async def test_what_comes_while_it_runs_is_sent(self, world: World) -> None:
        intake = MemoryIntake()
        size = 0
        async with _running(world.source(), intake):
            for _ in range(3):
                size += len(world.write())
                await _has(intake, size)
        assert _size(intake) == size

    async def test_it_goes_on_where_it_was_left(self, world: World) -> None:
        size = len(world.write())
        intake = MemoryIntake()
        async with _running(world.source(), intake):
            await _has(intake, size)
        size += len(world.write())  # while nobody watches
        later = intake.restarted()
        async with _running(world.source(), later):
            await _has(later, size)
            await trio.sleep(0.1)  # time enough to send again what was sent
        assert _size(later) == size
        assert sum(len(record.body) for batch in later.batches for record in batch.records) == size - _size(intake)

    async def test_what_was_not_stored_is_sent_again(self, world: World) -> None:
        size = len(world.write())
        refusing = _Refusing()
        with trio.move_on_after(PATIENCE):
            async with _running(world.source(), refusing):
                await refusing.refused.wait()
        intake = MemoryIntake()
        async with _running(world.source(), intake):
            await _has(intake, size)

    async def test_each_batch_names_its_stream(self, world: World) -> None:
        size = len(world.write())
        intake = MemoryIntake()
        async with _running(world.source(), intake):
            await _has(intake, size)
        for batch in intake.batches:
            assert batch.stream.key
            assert batch.stream.format
            assert batch.stream.conversation


class _Refusing(MemoryIntake):
    """An intake whose storage is away: it takes nothing, until the source is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = trio.Event()

    async def send(self, batch: object) -> None:
        self.refused.set()
        await trio.sleep_forever()


async def _has(intake: MemoryIntake, size: int) -> None:
    await intake.until(lambda: _size(intake) >= size)


def _size(intake: MemoryIntake) -> int:
    return sum(map(len, intake.bytes.values()))


@asynccontextmanager
async def _running(source: Source, intake: Intake) -> AsyncIterator[None]:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        await source.run(intake, task_status=task_status)

    async with trio.open_nursery() as nursery:
        with trio.fail_after(PATIENCE):
            await nursery.start(run)
        yield
        nursery.cancel_scope.cancel()
