"""/api/quarantine, /api/record-types and /api/storage: what was not understood, and where it is all kept."""

from __future__ import annotations

from msgspec import Struct

from ccod import Observatory, Quarantined, QuarantineQuery, RecordType, StorageFacts
from ccod_http.web import Listing, Paged, Routes, iso


class QuarantineJson(Struct, rename="camel"):
    conversation_id: str
    file: str
    offset: int
    length: int
    reason: str
    at: str


def quarantine_routes(observatory: Observatory) -> Routes:
    routes = Routes("quarantine", __name__, url_prefix="/api")
    storage = observatory.storage

    @routes.get("/quarantine", access="read", stored=True, tag="storage")
    async def quarantine(query: Listing) -> Paged[list[QuarantineJson]]:
        """List what could not be understood, the latest first."""
        page = await storage.quarantine(QuarantineQuery(query.offset, query.limit, query.after))
        return query.listed([_quarantine_json(each) for each in page.items], page.total, page.next)

    @routes.get("/record-types", access="read", stored=True, tag="storage")
    async def record_types() -> list[RecordType]:
        """List every type of record that was ever met, the unknown ones first."""
        return [*await storage.record_types()]

    @routes.get("/storage", access="read")
    async def facts() -> StorageFacts:
        """Show what there is to know of the storage itself."""
        return await storage.facts()

    return routes


def _quarantine_json(each: Quarantined) -> QuarantineJson:
    return QuarantineJson(each.conversation_id, each.path, each.offset, each.length, each.reason, iso(each.at))
