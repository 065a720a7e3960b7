"""What an assistant's line tells of its API response."""

from __future__ import annotations

from ccod import Response, Usage
from ccod_claude.lines import Body, Tokens

NOTHING = Usage()


def response(body: Body, request_id: str | None, fallback_id: str) -> Response:
    """Return the response that `body` belongs to; without an id of its own it is known by `fallback_id`."""
    tokens = body.usage
    message_id = body.id or fallback_id
    if tokens is None:
        return Response(message_id, request_id or "", body.model or "", NOTHING)
    return Response(
        message_id,
        request_id or "",
        body.model or "",
        usage(tokens),
        tokens.service_tier or "",
        tokens.speed or "",
        tokens.inference_geo or "",
    )


def usage(tokens: Tokens) -> Usage:
    """Return the counts; where cache creation is told both whole and split, the larger is true: one may be 0."""
    split, search = tokens.cache_creation, tokens.server_tool_use
    short = (split.ephemeral_5m_input_tokens or 0) if split else 0
    long = (split.ephemeral_1h_input_tokens or 0) if split else 0
    return Usage(
        tokens.input_tokens or 0,
        tokens.output_tokens or 0,
        max(short, (tokens.cache_creation_input_tokens or 0) - long),
        long,
        tokens.cache_read_input_tokens or 0,
        (search.web_search_requests or 0) if search else 0,
    )
