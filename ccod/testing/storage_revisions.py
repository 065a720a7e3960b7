"""What every storage must do with its revision. `StorageContract` inherits this."""

from __future__ import annotations

from ccod import ConversationQuery, Health, MessageQuery, ProjectQuery
from ccod.testing.asking import Clock, Storages, maintain, send
from ccod.testing.transcripts import MINUTE, Transcript


class RevisionContract:
    """A revision stands for all that can be read."""

    async def test_what_is_stored_has_another_revision(self, storages: Storages) -> None:
        async with storages() as storage:
            seen = {storage.revision}
            transcript = Transcript()
            for at in range(1, 4):
                await send(storage, transcript.add(uuid=str(at), at=at, cwd="/w"))
                assert storage.revision not in seen
                seen.add(storage.revision)
            assert None not in seen

    async def test_history_that_is_no_news_has_another_revision(self, storages: Storages) -> None:
        async with storages() as storage:
            before = storage.revision
            stored = await send(storage, Transcript().add(uuid="a", at=1), history=True)
            assert not stored.events
            assert storage.revision != before

    async def test_reading_and_idle_maintenance_keep_the_revision(self, storages: Storages) -> None:
        async with storages() as storage:
            await send(storage, Transcript().add(uuid="a", at=1, cwd="/w"))
            await maintain(storage)
            before = storage.revision
            await storage.projects(ProjectQuery())
            await storage.conversations(ConversationQuery())
            await storage.messages("conversation-1", MessageQuery())
            assert await storage.maintain(Health()) is None
            assert storage.revision == before

    async def test_what_maintenance_changes_has_another_revision(self, storages: Storages, clock: Clock) -> None:
        async with storages() as storage:
            await send(storage, Transcript().add(uuid="a", at=clock.now))
            await maintain(storage)
            before = storage.revision
            clock.now += 6 * MINUTE
            assert await storage.maintain(Health()) is not None
            assert storage.revision != before

    async def test_what_is_forgotten_has_another_revision(self, storages: Storages) -> None:
        async with storages() as storage:
            await send(storage, Transcript().add(uuid="a", at=1))
            before = storage.revision
            await storage.forget_conversation("conversation-1")
            assert storage.revision not in {before, None}
