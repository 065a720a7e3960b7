"""The tables, in portable types: times are milliseconds, offsets and lengths are bytes, `agent` is "" for none."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.sql.schema import SchemaItem

from ccod_sql.uuids import Uuid

Number = BigInteger().with_variant(Integer, "sqlite")
"""64 bits. SQLite numbers rows by itself only where the type is INTEGER, which holds 64 bits there."""

metadata = MetaData()


def _table(name: str, *items: SchemaItem, counts: Sequence[str] = ()) -> Table:
    return Table(name, metadata, *items, *(Column(count, Number, nullable=False) for count in counts))


def _id() -> Column[int]:
    return Column("id", Number, primary_key=True)


def _to(table: str, *, nullable: bool = False) -> Column[int]:
    """A reference, named as the table it leads to: `conversation_id` to `conversations`."""
    return Column(f"{table[:-1]}_id", Number, ForeignKey(f"{table}.id"), nullable=nullable)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, Number, nullable=False)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _where(sqlite: str, postgresql: str = "") -> dict[str, Any]:
    """What holds for the rows that an index has, where that is not all."""
    return {"sqlite_where": text(sqlite), "postgresql_where": text(postgresql or sqlite)}


TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_creation_5m_tokens",
    "cache_creation_1h_tokens",
    "cache_read_tokens",
    "web_search_requests",
)
take_tokens = attrgetter(*TOKENS)
COUNTERS = (
    "entry_count",
    "message_count",
    "user_message_count",
    "assistant_message_count",
    "response_count",
    "tool_call_count",
    "tool_error_count",
    "error_count",
    "subagent_count",
    "unpriced_response_count",
)

machines = _table("machines", _id(), Column("name", Text, nullable=False, unique=True))

projects = _table(
    "projects",
    _id(),
    Column("key", Text, nullable=False, unique=True),
    _to("machines"),
    _text("path"),
    _text("name"),
    _text("description"),
    _text("settings"),
    _number("created_at"),
    _number("updated_at"),
    Column("last_activity", Number),
    _number("conversation_count"),
)

conversations = _table(
    "conversations",
    _id(),
    Column("key", Text, nullable=False, unique=True),
    _to("machines"),
    _to("projects", nullable=True),
    _text("title"),
    _number("title_rank"),
    Column("cwd", Text),
    Column("latest_cwd", Text),
    Column("version", Text),
    Column("branch", Text),
    Column("model", Text),
    _number("created_at"),
    _number("updated_at"),
    # False while no entry stated a time: created_at and updated_at are the time of storing then.
    _flag("timed"),
    # When it last grew, as far as this says something of now: history counts as of its own last time.
    _number("appended_at"),
    # What its state follows from, see states.py: how it last stopped, and the tool calls without answer in this turn.
    _flag("last_error"),
    _text("ending"),
    _number("turn"),
    _number("pending_count"),
    _text("state"),
    _text("state_reason"),
    _number("state_since"),
    # When the clock alone changes the state.
    Column("state_due", Number),
    _text("file_path"),
    Column("file_deleted_at", Number),
    Column("file_rewritten_at", Number),
    Index("ix_conversations_updated", "updated_at"),
    Index("ix_conversations_created", "created_at"),
    Index("ix_conversations_project", "project_id", "updated_at"),
    Index("ix_conversations_machine", "machine_id", "updated_at"),
    Index("ix_conversations_due", "state_due", **_where("state_due IS NOT NULL")),
    counts=(*COUNTERS, *TOKENS, "cost_nanos"),
)

streams = _table(
    "streams",
    _id(),
    _to("machines"),
    _text("source"),
    _text("key"),
    _text("format"),
    _text("kind"),
    _text("path"),
    _to("conversations"),
    _text("agent"),
    _number("position"),
    _text("state"),
    # What stands behind `position`: a line without an end.
    Column("rest", LargeBinary, nullable=False),
    # The version of the parser that understood it; empty where it is to be understood anew.
    _text("parser"),
    # Blocks before this offset are as they are to stay.
    _number("packed"),
    _number("entry_count"),
    Column("last_at", Number),
    # Who is at work where it was left, if its entries say so.
    _text("model"),
    _number("created_at"),
    _number("updated_at"),
    Column("deleted_at", Number),
    Column("rewritten_at", Number),
    UniqueConstraint("machine_id", "source", "key"),
    Index("ix_streams_conversation", "conversation_id", "agent"),
    Index("ix_streams_loose", "updated_at", **_where("position > packed")),
)

responses = _table(
    "responses",
    _id(),
    _to("conversations"),
    _text("agent"),
    _text("message_id"),
    _text("request_id"),
    _text("model"),
    _number("at"),
    *(_number(name) for name in TOKENS),
    _text("service_tier"),
    _text("speed"),
    _text("region"),
    # Null where no price is known, or nothing is to be paid.
    Column("cost_nanos", Number),
    _flag("sidechain"),
    # True for one of all copies of a response, which counts in totals over conversations.
    _flag("counted"),
    UniqueConstraint("message_id", "request_id", "conversation_id", "agent"),
    Index("ix_responses_conversation", "conversation_id", "at"),
    Index("ix_responses_counted", "at", **_where("counted = 1", "counted")),
)

entries = _table(
    "entries",
    _id(),
    _to("streams"),
    _number("offset"),
    _number("length"),
    _to("conversations"),
    _text("agent"),
    _text("type"),
    _text("subtype"),
    Column("uuid", Uuid),
    Column("parent", Uuid),
    Column("logical_parent", Uuid),
    _number("at"),
    # Set where the entry is a message, but not for a duplicate, so that each message counts once.
    Column("role", Text),
    _flag("sidechain"),
    _flag("meta"),
    _flag("duplicate"),
    _flag("error"),
    _to("responses", nullable=True),
    # Stands in for the uuid of an entry that has none.
    Column("digest", Number),
    UniqueConstraint("stream_id", "offset"),
)
Index("ix_entries_uuid", entries.c.conversation_id, entries.c.uuid)
Index(
    "ix_entries_messages",
    *(entries.c[name] for name in ("conversation_id", "agent", "at", "id", "role")),
    **_where("role IS NOT NULL"),
)

tool_calls = _table(
    "tool_calls",
    Column("conversation_id", Number, ForeignKey("conversations.id"), primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("tool_use_id", Text, primary_key=True),
    _text("name"),
    Column("use_entry_id", Number, ForeignKey("entries.id")),
    _number("use_index"),
    Column("result_entry_id", Number, ForeignKey("entries.id")),
    Column("used_at", Number),
    Column("answered_at", Number),
    _flag("is_error"),
    Column("duration_ms", Number),
    # The turn in which the conversation made it; 0 for a subagent's.
    _number("turn"),
    Index("ix_tool_calls_use", "use_entry_id"),
    Index("ix_tool_calls_used", "conversation_id", "agent", "used_at", "use_entry_id", "use_index"),
    Index("ix_tool_calls_result", "result_entry_id"),
)

# What is known of a subagent; `tool_use_id` is the call that started it, as who is worth `rank` says.
subagents = _table(
    "subagents",
    Column("conversation_id", Number, ForeignKey("conversations.id"), primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("agent_type", Text),
    Column("description", Text),
    Column("parent_agent", Text),
    Column("depth", Number),
    Column("tool_use_id", Text),
    _number("rank"),
)

# Names for the conversations that hold the entry `leaf`, by the conversation in whose file they stand.
summaries = _table(
    "summaries",
    Column("conversation_id", Number, ForeignKey("conversations.id"), primary_key=True),
    Column("leaf", Uuid, primary_key=True),
    _text("title"),
    _number("rank"),
    Index("ix_summaries_leaf", "leaf"),
)

# Figures of quarters of an hour, counted from 1970 on: every time zone is ahead of UTC by a whole number of them. They
# follow from the rows above, subagents' included, and are kept in the same transactions; see quarters.py.


def _quarters(name: str, *, by: str | None = None, counts: Sequence[str]) -> Table:
    return Table(
        name,
        metadata,
        Column("quarter", Number, primary_key=True),
        Column("conversation_id", Number, ForeignKey("conversations.id"), primary_key=True),
        *([Column(by, Text, primary_key=True)] if by else ()),
        *(Column(count, Number, nullable=False) for count in counts),
        Index(f"ix_{name}_conversation", "conversation_id"),
        sqlite_with_rowid=False,
    )


# Of responses that count.
model_quarters = _quarters(
    "model_quarters", by="model", counts=("response_count", "unpriced_count", "cost_nanos", *TOKENS)
)
message_quarters = _quarters("message_quarters", counts=("user_count", "assistant_count"))
# By the time of the call. `duration_ms` is the sum of the durations that are known, of which there are `timed_count`.
tool_quarters = _quarters(
    "tool_quarters", by="name", counts=("call_count", "pending_count", "error_count", "timed_count", "duration_ms")
)

record_types = _table(
    "record_types",
    Column("conversation_id", Number, ForeignKey("conversations.id"), primary_key=True),
    Column("type", Text, primary_key=True),
    Column("subtype", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    _flag("known"),
    _number("count"),
)

quarantine = _table(
    "quarantine",
    _id(),
    _to("streams"),
    _number("offset"),
    _number("length"),
    _text("reason"),
    _number("at"),
    UniqueConstraint("stream_id", "offset"),
)

blocks = _table(
    "blocks",
    _id(),
    _to("streams"),
    _number("start"),
    _number("length"),
    _text("codec"),
    Column("data", LargeBinary, nullable=False),
    UniqueConstraint("stream_id", "start"),
)

meta = Table("meta", metadata, Column("key", Text, primary_key=True), _text("value"))

# What other plugins keep, each under its own name.
kept = _table(
    "kept",
    Column("namespace", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

# The rows of the full-text index. Whoever deletes entries empties it, so they need not be searched for here.
search_keys = _table("search_keys", Column("key", Number, primary_key=True), _number("entry_id"))

# Who read what is not theirs. Nothing leads from here to what was read, so that these rows stay when that is forgotten.
reads = _table(
    "reads",
    _id(),
    _number("at"),
    *(_text(name) for name in ("user_id", "email", "credential", "address", "route")),
    *(_text(name) for name in ("conversation", "machine", "served_by")),
    Index("ix_reads_at", "at"),
    Index("ix_reads_user", "user_id"),
    Index("ix_reads_conversation", "conversation"),
)

tombstones = _table(
    "tombstones",
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    _number("at"),
)

# Where reading stands in streams that are not stored any more.
forgotten_streams = _table(
    "forgotten_streams",
    Column("machine_id", Number, ForeignKey("machines.id"), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    _text("format"),
    _text("kind"),
    _text("path"),
    _text("conversation"),
    _text("agent"),
    _number("position"),
    _text("state"),
)

events = Table(
    "events",
    metadata,
    Column("seq", Number, primary_key=True),
    _text("kind"),
    _number("at"),
    _to("conversations", nullable=True),
    _to("projects", nullable=True),
    Column("entry_id", Number, ForeignKey("entries.id")),
    # The key of what was forgotten, and its machine: no other row knows it any more.
    Column("subject", Text),
    Column("machine_id", Number),
    # What there is to say beside it, as JSON.
    Column("detail", Text),
    Index("ix_events_conversation", "conversation_id", "seq"),
    Index("ix_events_project", "project_id", "seq"),
    Index("ix_events_subject", "subject", "seq", **_where("subject IS NOT NULL")),
    sqlite_autoincrement=True,
)
