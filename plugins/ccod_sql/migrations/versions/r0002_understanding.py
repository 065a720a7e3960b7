"""Cost, states, subagents, search and forgetting. What rows lack is derived from the archive, which has every line."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

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
    _conversations()
    _streams()
    _responses()
    _entries()
    _subagents()
    _events()
    _search()


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _texts_or_null(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, number, nullable=False) for name in names]


def _flags(*names: str) -> list[sa.Column[bool]]:
    return [sa.Column(name, sa.Boolean, nullable=False) for name in names]


def _of_conversation() -> sa.Column[int]:
    return sa.Column("conversation_id", number, sa.ForeignKey("conversations.id"), primary_key=True)


def _add(table: str, *columns: sa.Column[int] | sa.Column[str] | sa.Column[bool]) -> None:
    """Add columns. One that is never null needs a value for the rows that are there."""
    for column in columns:
        if not column.nullable:
            column.server_default = sa.DefaultClause("" if isinstance(column.type, sa.Text) else sa.text("0"))
        op.add_column(table, column)


def _index(name: str, table: str, column: str, sqlite: str, postgresql: str) -> None:
    op.create_index(name, table, [column], sqlite_where=sa.text(sqlite), postgresql_where=sa.text(postgresql))


def _conversations() -> None:
    _add(
        "conversations",
        *_texts_or_null("latest_cwd"),
        *_text("ending"),
        *_numbers("turn", "pending_count"),
        *_text("state", "state_reason"),
        *_numbers("state_since"),
        sa.Column("state_due", number),
        sa.Column("file_rewritten_at", number),
        *_numbers("error_count", "unpriced_response_count", "cost_nanos"),
    )
    op.execute("UPDATE conversations SET state = 'completed', state_reason = 'idle'")
    _index("ix_conversations_due", "conversations", "state_due", "state_due IS NOT NULL", "state_due IS NOT NULL")


def _streams() -> None:
    """No parser has understood them yet as they are to be understood now."""
    _add("streams", *_text("kind", "parser"), *_numbers("packed"))
    op.add_column("streams", sa.Column("rest", sa.LargeBinary, nullable=False, server_default=sa.text("''")))
    op.add_column("streams", sa.Column("rewritten_at", number))
    rows = sa.table("streams", sa.column("kind", sa.Text), sa.column("rest", sa.LargeBinary))
    op.execute(rows.update().values(kind="transcript", rest=b""))
    _index("ix_streams_loose", "streams", "updated_at", "position > packed", "position > packed")


def _responses() -> None:
    op.drop_table("responses")
    op.create_table(
        "responses",
        sa.Column("id", number, primary_key=True),
        sa.Column("conversation_id", number, sa.ForeignKey("conversations.id"), nullable=False),
        *_text("agent", "message_id", "request_id", "model"),
        *_numbers("at", *TOKENS),
        *_text("service_tier", "speed", "region"),
        sa.Column("cost_nanos", number),
        *_flags("sidechain", "counted"),
        sa.UniqueConstraint("message_id", "request_id", "conversation_id", "agent"),
    )
    op.create_index("ix_responses_conversation", "responses", ["conversation_id", "at"])
    _index("ix_responses_counted", "responses", "at", "counted = 1", "counted")


def _entries() -> None:
    """Entries keep their ids, to which events lead; all else of them is derived again. Nothing leads to no entry."""
    op.create_table(
        "new_entries",
        sa.Column("id", number, primary_key=True),
        sa.Column("stream_id", number, sa.ForeignKey("streams.id"), nullable=False),
        *_numbers("offset", "length"),
        sa.Column("conversation_id", number, sa.ForeignKey("conversations.id"), nullable=False),
        *_text("agent", "type", "subtype"),
        *(sa.Column(name, sa.LargeBinary) for name in ("uuid", "parent", "logical_parent")),
        *_numbers("at"),
        *_texts_or_null("role"),
        *_flags("sidechain", "meta", "duplicate", "error"),
        sa.Column("response_id", number, sa.ForeignKey("responses.id")),
        sa.Column("digest", number),
        sa.UniqueConstraint("stream_id", "offset"),
    )
    kept = (
        'id, stream_id, "offset", length, conversation_id, agent, type, subtype, at, role, sidechain, meta, duplicate'
    )
    op.execute(f"INSERT INTO new_entries ({kept}, error) SELECT {kept}, false FROM entries")  # noqa: S608
    op.drop_table("entries")
    op.rename_table("new_entries", "entries")
    op.create_index("ix_entries_uuid", "entries", ["conversation_id", "uuid"])
    columns = ["conversation_id", "agent", "at", "id", "role"]
    of_messages = sa.text("role IS NOT NULL")
    op.create_index("ix_entries_messages", "entries", columns, sqlite_where=of_messages, postgresql_where=of_messages)
    _add("tool_calls", *_numbers("turn"))
    op.create_index("ix_tool_calls_result", "tool_calls", ["result_entry_id"])
    op.drop_table("record_types")
    op.create_table(
        "record_types",
        _of_conversation(),
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("type", "subtype", "version")),
        *_flags("known"),
        *_numbers("count"),
    )


def _subagents() -> None:
    op.create_table(
        "subagents",
        _of_conversation(),
        sa.Column("agent", sa.Text, primary_key=True),
        *_texts_or_null("agent_type", "description", "parent_agent"),
        sa.Column("depth", number),
        *_texts_or_null("tool_use_id"),
        *_numbers("rank"),
    )
    op.create_table(
        "summaries",
        _of_conversation(),
        sa.Column("leaf", sa.LargeBinary, primary_key=True),
        *_text("title"),
        *_numbers("rank"),
    )
    op.create_index("ix_summaries_leaf", "summaries", ["leaf"])


def _events() -> None:
    _add("events", *_texts_or_null("subject", "detail"))
    op.create_table("meta", sa.Column("key", sa.Text, primary_key=True), *_text("value"))
    op.create_table(
        "tombstones",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("kind", "key")),
        *_numbers("at"),
    )
    op.create_table(
        "forgotten_streams",
        sa.Column("machine_id", number, sa.ForeignKey("machines.id"), primary_key=True),
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("source", "key")),
        *_text("format", "kind", "path", "conversation", "agent"),
        *_numbers("position"),
        *_text("state"),
    )


def _search() -> None:
    """The index of what messages say, by keys that grow with time; it keeps no text."""
    op.execute("CREATE VIRTUAL TABLE search USING fts5(text, content='', tokenize='unicode61')")
    op.create_table("search_keys", sa.Column("key", number, primary_key=True), *_numbers("entry_id"))
