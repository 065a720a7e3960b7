"""/api/conversations/:id/archive: the bytes of a conversation's streams, as they were read."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from msgspec import Struct
from quart import Response

from ccod import Observatory, Storage, StoredStream, StreamKind
from ccod_http.web import Problem, Routes, iso


class StreamJson(Struct, rename="camel"):
    id: str
    key: str
    path: str
    format: str
    kind: StreamKind
    agent: str | None
    bytes: int
    sha256: str
    created_at: str
    file_deleted_at: str | None
    file_rewritten_at: str | None


class ArchiveJson(Struct, rename="camel"):
    """`watched` are the folders below which nothing may be restored."""

    conversation_id: str
    streams: list[StreamJson]
    watched: list[str]


def archive_routes(observatory: Observatory) -> Routes:
    routes = Routes("archive", __name__, url_prefix="/api/conversations")
    storage = observatory.storage

    @routes.get("/<conversation_id>/archive", access="admin", errors=[404])
    async def archive(conversation_id: str) -> ArchiveJson:
        """List the streams of a conversation."""
        found = await storage.streams(conversation_id)
        if not found:
            raise Problem(404, "NOT_FOUND", "There is no such conversation.")
        streams = [_stream_json(stream, await _sha256(storage, stream)) for stream in found]
        return ArchiveJson(conversation_id, streams, list(observatory.roots))

    @routes.get(
        "/<conversation_id>/archive/<int:stream_id>",
        access="reveal",
        errors=[404],
        media=["application/octet-stream"],
    )
    async def stream(conversation_id: str, stream_id: int) -> Response:
        """Give back the bytes of a stream, secrets and all."""
        for found in await storage.streams(conversation_id):
            if found.id == stream_id:
                return Response(_portions(storage, found), content_type="application/octet-stream")
        raise Problem(404, "NOT_FOUND", "That conversation has no such stream.")

    return routes


async def _portions(storage: Storage, stream: StoredStream) -> AsyncIterator[bytes]:
    """Yield as much of a stream as it had when it was asked for."""
    done = 0
    while done < stream.size and (portion := await storage.bytes_of(stream.id, done)):
        yield portion[: stream.size - done]
        done += len(portion)


async def _sha256(storage: Storage, stream: StoredStream) -> str:
    digest = hashlib.sha256()
    async for portion in _portions(storage, stream):
        digest.update(portion)
    return digest.hexdigest()


def _stream_json(stream: StoredStream, sha256: str) -> StreamJson:
    return StreamJson(
        id=str(stream.id),
        key=stream.key,
        path=stream.path,
        format=stream.format,
        kind=stream.kind,
        agent=stream.agent,
        bytes=stream.size,
        sha256=sha256,
        created_at=iso(stream.created_at),
        file_deleted_at=None if stream.deleted_at is None else iso(stream.deleted_at),
        file_rewritten_at=None if stream.rewritten_at is None else iso(stream.rewritten_at),
    )
