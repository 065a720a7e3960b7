"""/api/quarantine, /api/record-types and /api/storage: what was not understood, and where it is all kept."""

from __future__ import annotations

from msgspec import Struct
from quart import Blueprint, Response

from ccod import Observatory, Quarantined, RecordType, StorageFacts
from ccod_http.web import NoParameters, Paging, iso, ok, query, require_reader


class QuarantineJson(Struct, rename="camel"):
    conversation_id: str
    file: str
    offset: int
    length: int
    reason: str
    at: str


def quarantine_routes(observatory: Observatory) -> Blueprint:
    routes = Blueprint("quarantine", __name__, url_prefix="/api")
    routes.before_request(require_reader)
    storage = observatory.storage

    @routes.get("/quarantine")
    async def quarantine() -> Response:
        wanted = query(Paging)
        page = await storage.quarantine(wanted.offset, wanted.limit)
        return ok([_quarantine_json(each) for each in page.items], wanted.of(page.total))

    @routes.get("/record-types")
    async def record_types() -> Response:
        query(NoParameters)
        found: list[RecordType] = [*await storage.record_types()]
        return ok(found)

    @routes.get("/storage")
    async def facts() -> Response:
        query(NoParameters)
        known: StorageFacts = await storage.facts()
        return ok(known)

    return routes


def _quarantine_json(each: Quarantined) -> QuarantineJson:
    return QuarantineJson(each.conversation_id, each.path, each.offset, each.length, each.reason, iso(each.at))
