"""/api/conversations/:id/attachments: files beside the transcript, such as output that did not fit into it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from functools import partial

import trio
from msgspec import Struct
from quart import Response

from ccod import Observatory, Redactor, Storage, StoredStream
from ccod_http.web import Problem, Routes, iso
from ccod_rest.finding import find_conversation
from ccod_rest.revealing import Reveal, check_reveal

MASKED_AT_ONCE = 4 * 2**20
"""So many bytes, up to a line end, are looked at as one text."""
LONGEST_KEY = 64 * 1024
KEY = b"-----BEGIN"
"""What can hold a secret of several lines, which must not be cut."""


class AttachmentParameters(Struct):
    reveal: Reveal = False


class AttachmentJson(Struct, frozen=True, rename="camel"):
    id: str
    name: str
    path: str
    agent_id: str | None
    bytes: int
    created_at: str
    file_deleted_at: str | None


def attachment_routes(observatory: Observatory) -> Routes:
    routes = Routes("attachments", __name__, url_prefix="/api/conversations")
    storage = observatory.storage

    @routes.get("/<conversation_id>/attachments", access="read", stored=True, errors=[404])
    async def attachments(conversation_id: str) -> list[AttachmentJson]:
        """List the files beside a transcript, such as output that did not fit into it."""
        await find_conversation(storage, conversation_id)
        return [_attachment_json(each) for each in await attached(storage, conversation_id)]

    @routes.get(
        "/<conversation_id>/attachments/<int:attachment_id>",
        access="read",
        errors=[404],
        media=["application/octet-stream"],
    )
    async def attachment(conversation_id: str, attachment_id: int, query: AttachmentParameters) -> Response:
        """Show one file beside a transcript."""
        for found in await attached(storage, conversation_id):
            if found.id == attachment_id:
                check_reveal(query.reveal, conversation_id)
                portions = _portions(storage, found)
                body = portions if query.reveal else _masked(portions, observatory.redactor)
                return Response(body, content_type="application/octet-stream")
        raise Problem(404, "NOT_FOUND", "That conversation has no such attachment.")

    return routes


async def attached(storage: Storage, conversation_id: str) -> list[StoredStream]:
    return [stream for stream in await storage.streams(conversation_id) if stream.kind == "attachment"]


def by_name(found: Iterable[StoredStream]) -> Mapping[str, str]:
    """Return the ids of attachments by their files' names. Of several of one name, the last is what stood there."""
    return {file_name(each.path): str(each.id) for each in found if each.agent is None}


def file_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


async def _portions(storage: Storage, stream: StoredStream) -> AsyncIterator[bytes]:
    """Yield as much of a file as it had when it was asked for."""
    done = 0
    while done < stream.size and (portion := await storage.bytes_of(stream.id, done)):
        yield portion[: stream.size - done]
        done += len(portion)


async def _masked(portions: AsyncIterator[bytes], redactor: Redactor) -> AsyncIterator[bytes]:
    waiting = b""
    async for portion in portions:
        waiting += portion
        if len(waiting) >= MASKED_AT_ONCE and (end := _end_of_lines(waiting)):
            yield await trio.to_thread.run_sync(partial(_mask, waiting[:end], redactor))
            waiting = waiting[end:]
    yield await trio.to_thread.run_sync(partial(_mask, waiting, redactor))


def _end_of_lines(data: bytes) -> int:
    """Return where to cut `data`: behind its last whole line, but before a key that may not end in it."""
    key = data.rfind(KEY, len(data) - LONGEST_KEY)
    return data.rfind(b"\n", 0, key if key >= 0 else len(data)) + 1


def _mask(data: bytes, redactor: Redactor) -> bytes:
    return redactor.mask(data.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _attachment_json(stream: StoredStream) -> AttachmentJson:
    return AttachmentJson(
        id=str(stream.id),
        name=file_name(stream.path),
        path=stream.path,
        agent_id=stream.agent,
        bytes=stream.size,
        created_at=iso(stream.created_at),
        file_deleted_at=None if stream.deleted_at is None else iso(stream.deleted_at),
    )
