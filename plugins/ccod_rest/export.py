"""/api/conversations/:id/export"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from msgspec import Meta, Struct
from quart import Blueprint, Response

from ccod import Observatory
from ccod_http.web import query, require_reader
from ccod_rest.choosing import choose
from ccod_rest.exporting import as_json, as_lines, written
from ccod_rest.finding import find_conversation
from ccod_rest.forms import Html, Markdown
from ccod_rest.revealing import check_reveal

TYPES = {
    "jsonl": "application/x-ndjson",
    "json": "application/json",
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
}


class ExportParameters(Struct):
    """`agent` asks for a subagent alone."""

    format: Literal["jsonl", "json", "md", "html"] = "jsonl"
    agent: Annotated[str, Meta(min_length=1)] | None = None
    reveal: bool = False


def export_routes(observatory: Observatory) -> Blueprint:
    routes = Blueprint("export", __name__, url_prefix="/api/conversations")
    routes.before_request(require_reader)

    @routes.get("/<conversation_id>/export")
    async def export(conversation_id: str) -> Response:
        wanted = query(ExportParameters)
        conversation = await find_conversation(observatory.storage, conversation_id)
        await check_reveal(wanted.reveal, conversation_id)
        chosen = await choose(observatory.storage, conversation, wanted.agent)
        match wanted.format:
            case "jsonl":
                body = as_lines(observatory, chosen, reveal=wanted.reveal)
            case "json":
                body = as_json(observatory, chosen, reveal=wanted.reveal)
            case "md":
                body = written(observatory, chosen, Markdown(observatory.redactor), reveal=wanted.reveal)
            case "html":
                body = written(observatory, chosen, Html(observatory.redactor), reveal=wanted.reveal)
        response = Response(body, content_type=TYPES[wanted.format])
        response.timeout = None
        # Never shown in place: a page from the daemon's own address would be trusted as the daemon is.
        name = re.sub(r"[^A-Za-z0-9_-]", "_", (f"agent-{wanted.agent}" if wanted.agent else conversation_id)[:80])
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.{wanted.format}"'
        return response

    return routes
