"""What other plugins keep is on the disk before the storage says so."""

from __future__ import annotations

from sqlalchemy import event

from ccod.testing.asking import send
from ccod.testing.transcripts import Transcript
from ccod_sql.storage import SqlStorage
from tests.plugins.sql.conftest import OpenStorage

FULL, NORMAL = 2, 1


async def test_only_what_is_kept_is_waited_for_on_the_disk(storages: OpenStorage) -> None:
    async with storages() as storage:
        levels = committed(storage)
        await storage.keep("plugin", {"a": b"1"})
        await send(storage, Transcript().add())
        assert levels == [FULL, NORMAL]


def committed(storage: SqlStorage) -> list[int]:
    """Return a list that grows by the level of `synchronous` at each commit."""
    levels: list[int] = []
    event.listen(
        storage._database.writer,
        "commit",
        lambda connection: levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar()),
    )
    return levels
