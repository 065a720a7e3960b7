"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_creation_5m_tokens",
    "cache_creation_1h_tokens",
    "cache_read_tokens",
    "web_search_requests",
)


def upgrade() -> None:
    _places()
    _entries()
    _bytes()
    _events()


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _texts_or_null(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, number, nullable=False) for name in names]


def _flags(*names: str) -> list[sa.Column[bool]]:
    return [sa.Column(name, sa.Boolean, nullable=False) for name in names]


def _id() -> sa.Column[int]:
    return sa.Column("id", number, primary_key=True)


def _to(table: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(f"{table[:-1]}_id", number, sa.ForeignKey(f"{table}.id"), nullable=nullable)


def _places() -> None:
    op.create_table("machines", _id(), sa.Column("name", sa.Text, nullable=False, unique=True))
    op.create_table(
        "projects",
        _id(),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        _to("machines"),
        *_text("path", "name", "description", "settings"),
        *_numbers("created_at", "updated_at"),
        sa.Column("last_activity", number),
        *_numbers("conversation_count"),
    )
    op.create_table(
        "conversations",
        _id(),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        _to("machines"),
        _to("projects", nullable=True),
        *_text("title"),
        *_numbers("title_rank"),
        *_texts_or_null("cwd", "version", "branch", "model"),
        *_numbers("created_at", "updated_at"),
        *_flags("timed"),
        *_numbers("appended_at"),
        *_flags("last_error"),
        *_text("file_path"),
        sa.Column("file_deleted_at", number),
        *_numbers("entry_count", "message_count", "user_message_count", "assistant_message_count"),
        *_numbers("response_count", "tool_call_count", "tool_error_count", "subagent_count"),
        *_numbers(*TOKENS),
    )
    op.create_index("ix_conversations_updated", "conversations", ["updated_at"])
    op.create_index("ix_conversations_project", "conversations", ["project_id", "updated_at"])
    op.create_table(
        "streams",
        _id(),
        _to("machines"),
        *_text("source", "key", "format", "path"),
        _to("conversations"),
        *_text("agent"),
        *_numbers("position"),
        *_text("state"),
        *_numbers("entry_count"),
        sa.Column("last_at", number),
        *_numbers("created_at", "updated_at"),
        sa.Column("deleted_at", number),
        sa.UniqueConstraint("machine_id", "source", "key"),
    )
    op.create_index("ix_streams_conversation", "streams", ["conversation_id", "agent"])


def _entries() -> None:
    op.create_table(
        "responses",
        _id(),
        _to("conversations"),
        *_text("agent", "message_id", "request_id", "model"),
        *_numbers("at", *TOKENS),
        *_text("service_tier", "speed", "region"),
        sa.UniqueConstraint("conversation_id", "agent", "message_id", "request_id"),
    )
    op.create_table(
        "entries",
        _id(),
        _to("streams"),
        *_numbers("offset", "length"),
        _to("conversations"),
        *_text("agent", "type", "subtype"),
        *_texts_or_null("uuid", "parent"),
        *_numbers("at"),
        *_texts_or_null("role"),
        *_flags("sidechain", "meta", "duplicate"),
        _to("responses", nullable=True),
        sa.UniqueConstraint("stream_id", "offset"),
    )
    op.create_index("ix_entries_uuid", "entries", ["conversation_id", "uuid"])
    op.create_index(
        "ix_entries_messages",
        "entries",
        ["conversation_id", "agent", "at", "id", "role"],
        sqlite_where=sa.text("role IS NOT NULL"),
        postgresql_where=sa.text("role IS NOT NULL"),
    )
    op.create_table(
        "tool_calls",
        sa.Column("conversation_id", number, sa.ForeignKey("conversations.id"), primary_key=True),
        sa.Column("agent", sa.Text, primary_key=True),
        sa.Column("tool_use_id", sa.Text, primary_key=True),
        *_text("name"),
        sa.Column("use_entry_id", number, sa.ForeignKey("entries.id")),
        *_numbers("use_index"),
        sa.Column("result_entry_id", number, sa.ForeignKey("entries.id")),
        sa.Column("used_at", number),
        sa.Column("answered_at", number),
        *_flags("is_error"),
        sa.Column("duration_ms", number),
    )
    op.create_index("ix_tool_calls_use", "tool_calls", ["use_entry_id"])
    op.create_table(
        "record_types",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("type", "subtype", "version")),
        *_flags("known"),
        *_numbers("count"),
    )


def _bytes() -> None:
    op.create_table(
        "quarantine",
        _id(),
        _to("streams"),
        *_numbers("offset", "length"),
        *_text("reason"),
        *_numbers("at"),
        sa.UniqueConstraint("stream_id", "offset"),
    )
    op.create_table(
        "blocks",
        _id(),
        _to("streams"),
        *_numbers("start", "length"),
        *_text("codec"),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("stream_id", "start"),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", number, primary_key=True),
        *_text("kind"),
        *_numbers("at"),
        _to("conversations", nullable=True),
        _to("projects", nullable=True),
        sa.Column("entry_id", number, sa.ForeignKey("entries.id")),
        sqlite_autoincrement=True,
    )
