"""/api/streams: how far each file of a source was read and stored."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from ccod import Observatory
from ccod_http.web import Routes


class StreamsParameters(Struct):
    source: Annotated[str, Meta(min_length=1, max_length=100, description="Name of the source.")]


class ReadStreamJson(Struct, frozen=True, rename="camel"):
    """A file of which everything before the byte `offset` is stored. One that was rewritten is several streams."""

    path: str
    conversation_id: str
    agent_id: str | None
    offset: int


def stream_routes(observatory: Observatory) -> Routes:
    routes = Routes("streams", __name__, url_prefix="/api/streams")

    @routes.get("", access="read", tag="storage")
    async def streams(query: StreamsParameters) -> list[ReadStreamJson]:
        """List the files of a source, all at once, and how far each was read."""
        return [
            ReadStreamJson(stream.path, stream.conversation, stream.agent, checkpoint.offset)
            for stream, checkpoint in await observatory.storage.checkpoints(query.source)
        ]

    return routes
