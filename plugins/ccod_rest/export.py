"""/api/conversations/:id/export"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from msgspec import Meta, Struct
from quart import Response

from ccod import Observatory
from ccod_http.web import Routes
from ccod_rest.choosing import choose
from ccod_rest.exporting import as_json, as_lines, written
from ccod_rest.finding import find_conversation
from ccod_rest.forms import Html, Markdown
from ccod_rest.revealing import Reveal, check_reveal

TYPES = {
    "jsonl": "application/x-ndjson",
    "json": "application/json",
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
}


class ExportParameters(Struct):
    format: Annotated[Literal["jsonl", "json", "md", "html"], Meta(description="What kind of file.")] = "jsonl"
    agent: Annotated[Annotated[str, Meta(min_length=1)] | None, Meta(description="This subagent alone.")] = None
    reveal: Reveal = False


def export_routes(observatory: Observatory) -> Routes:
    routes = Routes("export", __name__, url_prefix="/api/conversations")

    @routes.get("/<conversation_id>/export", access="read", errors=[404], media=[*TYPES.values()])
    async def export(conversation_id: str, query: ExportParameters) -> Response:
        """Write a conversation into a file."""
        conversation = await find_conversation(observatory.storage, conversation_id)
        check_reveal(query.reveal, conversation_id)
        chosen = await choose(observatory.storage, conversation, query.agent)
        match query.format:
            case "jsonl":
                body = as_lines(observatory, chosen, reveal=query.reveal)
            case "json":
                body = as_json(observatory, chosen, reveal=query.reveal)
            case "md":
                body = written(observatory, chosen, Markdown(observatory.redactor), reveal=query.reveal)
            case "html":
                body = written(observatory, chosen, Html(observatory.redactor), reveal=query.reveal)
        response = Response(body, content_type=TYPES[query.format])
        response.timeout = None
        # Never shown in place: a page from the daemon's own address would be trusted as the daemon is.
        name = re.sub(r"[^A-Za-z0-9_-]", "_", (f"agent-{query.agent}" if query.agent else conversation_id)[:80])
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.{query.format}"'
        return response

    return routes
