"""Why a response costs what it costs, and why it counts or does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from ccod import Charge, Cost, ResponseRecord
from ccod_http.web import UsageJson, cost_micros, dollars, iso, usage_json

Note = Literal[
    "repeatedLines", "sidechain", "subagent", "ownedByOther", "copyWithin", "unpriced", "nothingUsed", "notice"
]
"""`repeatedLines`: several lines tell of it, the fullest counts. `ownedByOther`: a copy, counted in the conversation
`owner`. `copyWithin`: a copy of a response of the same conversation. `notice`: made locally, by no model."""


class ChargeJson(Struct, frozen=True):
    what: str
    count: int
    nanos: int


class MultiplierJson(Struct, frozen=True):
    what: str
    thousandths: int


class ResponseJson(Struct, frozen=True, rename="camel"):
    """`charges` are in nano-dollars for each; `multipliers` in thousandths, for all charges but web searches."""

    message_id: str
    request_id: str
    agent_id: str | None
    is_sidechain: bool
    model: str
    timestamp: str
    line_count: int
    usage: UsageJson
    counted: bool
    owner: str
    notes: Sequence[Note]
    charges: Sequence[ChargeJson]
    multipliers: Sequence[MultiplierJson]
    cost_nanos: int | None
    cost_usd: float | None
    cost_usd_micros: int | None


def response_json(record: ResponseRecord) -> ResponseJson:
    response, cost = record.response, record.cost or Cost(0)
    nanos = record.cost.nanos if record.cost else None
    micros = None if nanos is None else cost_micros(nanos, 0)
    return ResponseJson(
        message_id=response.message_id,
        request_id=response.request_id,
        agent_id=record.agent,
        is_sidechain=record.sidechain,
        model=response.model,
        timestamp=iso(record.at),
        line_count=record.line_count,
        usage=usage_json(response.usage),
        counted=record.counted,
        owner=record.owner,
        notes=list(_notes(record)),
        charges=[_charge_json(charge) for charge in cost.charges],
        multipliers=[MultiplierJson(what, thousandths) for what, thousandths in cost.multipliers],
        cost_nanos=nanos,
        cost_usd=dollars(micros),
        cost_usd_micros=micros,
    )


def _charge_json(charge: Charge) -> ChargeJson:
    return ChargeJson(charge.what, charge.count, charge.nanos)


def _notes(record: ResponseRecord) -> Iterator[Note]:
    if record.line_count > 1:
        yield "repeatedLines"
    if record.agent is not None:
        yield "subagent"
    elif record.sidechain:
        yield "sidechain"
    if not record.counted:
        yield "copyWithin" if record.owner == record.conversation_id else "ownedByOther"
    if record.cost is None:
        yield "unpriced" if record.response.is_billed else "notice" if record.response.is_notice else "nothingUsed"
