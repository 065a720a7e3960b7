"""/api/audit: who read conversations of machines that are not theirs."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from ccod import Observatory, Read, ReadQuery
from ccod_http.web import Listing, Moment, Paged, Routes, iso, query_time

Word = Annotated[str, Meta(min_length=1, max_length=256)]


class AuditParameters(Listing):
    user: Annotated[Word | None, Meta(description="Only what this user read: an id or an address.")] = None
    conversation_id: Annotated[Word | None, Meta(description="Only reads of this conversation.")] = None
    since: Annotated[Moment | None, Meta(description="Only what was read then or later.")] = None
    until: Annotated[Moment | None, Meta(description="Only what was read by then; a date is all of its day.")] = None


class ReadJson(Struct, frozen=True, rename="camel"):
    """`credential` names the login or key; `machine` is that of the conversation, `servedBy` that of the daemon."""

    at: str
    user_id: str
    email: str
    credential: str
    address: str
    route: str
    conversation_id: str
    machine: str
    served_by: str


def audit_routes(observatory: Observatory) -> Routes:
    routes = Routes("audit", __name__, url_prefix="/api/audit")

    @routes.get("", access="admin")
    async def audit(query: AuditParameters) -> Paged[list[ReadJson]]:
        """List who read conversations of machines that are not theirs, the latest first.

        Nothing changes or removes what is in this log, also not forgetting what was read.
        """
        asked = ReadQuery(
            user=query.user,
            conversation_id=query.conversation_id,
            since=query_time("since", query.since),
            until=query_time("until", query.until, end=True),
            offset=query.offset,
            limit=query.limit,
            after=query.after,
        )
        page = await observatory.storage.noted_reads(asked)
        return query.listed([_read_json(each) for each in page.items], page.total, page.next)

    return routes


def _read_json(each: Read) -> ReadJson:
    return ReadJson(
        iso(each.at),
        each.user_id,
        each.email,
        each.credential,
        each.address,
        each.route,
        each.conversation_id,
        each.machine,
        each.served_by,
    )
