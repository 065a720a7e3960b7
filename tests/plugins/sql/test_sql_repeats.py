"""What stands in two streams of a conversation counts once, with and without a uuid."""

from __future__ import annotations

from msgspec.structs import replace

from ccod import StreamKind
from ccod.testing.asking import Storages, conversation, messages, send
from ccod.testing.transcripts import SOURCE, Transcript, response


def _mode(transcript: Transcript, body: bytes = b"mode plan") -> Transcript:
    return transcript.add("mode", body=body)


async def test_equal_lines_without_uuid_count_as_often_as_in_one_stream(storages: Storages) -> None:
    old = _mode(_mode(Transcript(key="k").add(uuid="a", at=1)))
    new = _mode(_mode(_mode(Transcript(key="k#2").add(uuid="a", at=1))), b"mode other")
    async with storages() as storage:
        await send(storage, old)
        await send(storage, new, until=2)
        await send(storage, new)
        types = {found.type: found.count for found in await storage.record_types()}
    assert types == {"user": 1, "mode": 3}


async def test_messages_without_uuid_that_are_read_again_count_once(storages: Storages) -> None:
    def generation(key: str) -> Transcript:
        transcript = Transcript(key=key).add(at=1, body=b"the first")
        nameless = response(f"{key}:10", request="")
        return transcript.add("assistant", at=2, body=b"the second", response=nameless)

    async with storages() as storage:
        await send(storage, generation("k"))
        stored = await send(storage, generation("k#2"))
        assert stored.events == ()
        shown = await conversation(storage)
        assert len(await messages(storage)) == shown.message_count == 2
    assert (shown.response_count, shown.usage) == (1, response().usage)


async def test_a_later_equal_line_is_no_repeat(storages: Storages) -> None:
    transcript = _mode(_mode(Transcript()))
    async with storages() as storage:
        await send(storage, transcript, until=1)
        await send(storage, transcript)
        assert [found.count for found in await storage.record_types()] == [2]


async def test_rewriting_and_deletion_are_noted(storages: Storages) -> None:
    old, new = Transcript(key="k", path="/f").add(uuid="a", at=1), Transcript(key="k#2", path="/f").add(uuid="b", at=2)
    async with storages() as storage:
        await send(storage, old)
        batch, _ = old.batch()
        stored = await storage.append(SOURCE, replace(batch, change="rewrite"), ())
        assert stored.file is not None
        assert stored.file.type == "change"
        shown = await conversation(storage)
        assert shown.file_rewritten_at is not None
        assert shown.file_deleted_at is None
        await send(storage, new)
        first, second = await storage.streams("conversation-1")
        assert (first.rewritten_at is None, second.rewritten_at is None) == (False, True)
        await send(storage, new, change="unlink")
        assert (await conversation(storage)).file_deleted_at is not None


async def test_an_attachment_is_not_the_file_of_its_conversation(storages: Storages) -> None:
    kind: StreamKind = "attachment"
    transcript, beside = Transcript(path="/f").add(uuid="a", at=1), Transcript(key="k2", path="/beside").add("note")
    beside.stream = type(beside.stream)("k2", "lines", "/beside", "conversation-1", None, kind)
    async with storages() as storage:
        await send(storage, transcript)
        await send(storage, beside)
        await send(storage, beside, change="unlink")
        shown = await conversation(storage)
        assert (shown.file_path, shown.file_deleted_at) == ("/f", None)
        assert [stream.kind for stream in await storage.streams("conversation-1")] == ["transcript", "attachment"]
        assert [stream.kind for stream, _ in await storage.checkpoints(SOURCE)] == ["transcript", "attachment"]
