"""Figures of quarters of an hour, made from the rows that are there, and indexes for lists."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_creation_5m_tokens",
    "cache_creation_1h_tokens",
    "cache_read_tokens",
    "web_search_requests",
)
# Times before 1970 belong to the quarter that begins before them.
QUARTER = "({0} - (({0} % 900000) + 900000) % 900000) / 900000"

MODELS = f"""
INSERT INTO model_quarters
SELECT {QUARTER.format("at")}, conversation_id, model, count(*),
    sum(CASE WHEN cost_nanos IS NULL AND substr(model, 1, 1) != '<' AND {" + ".join(TOKENS)} > 0 THEN 1 ELSE 0 END),
    sum(coalesce(cost_nanos, 0)), {", ".join(f"sum({name})" for name in TOKENS)}
FROM responses WHERE counted GROUP BY 1, 2, 3
"""  # noqa: S608 - names of ours
MESSAGES = f"""
INSERT INTO message_quarters
SELECT {QUARTER.format("at")}, conversation_id,
    sum(CASE WHEN role = 'user' THEN 1 ELSE 0 END), sum(CASE WHEN role = 'user' THEN 0 ELSE 1 END)
FROM entries WHERE role IS NOT NULL GROUP BY 1, 2
"""  # noqa: S608 - names of ours
TOOLS = f"""
INSERT INTO tool_quarters
SELECT {QUARTER.format("used_at")}, conversation_id, name, count(*),
    sum(CASE WHEN result_entry_id IS NULL THEN 1 ELSE 0 END), sum(CASE WHEN is_error THEN 1 ELSE 0 END),
    count(duration_ms), coalesce(sum(duration_ms), 0)
FROM tool_calls WHERE used_at IS NOT NULL GROUP BY 1, 2, 3
"""  # noqa: S608 - names of ours


def upgrade() -> None:
    _quarters("model_quarters", "model", ("response_count", "unpriced_count", "cost_nanos", *TOKENS))
    _quarters("message_quarters", None, ("user_count", "assistant_count"))
    _quarters("tool_quarters", "name", ("call_count", "pending_count", "error_count", "timed_count", "duration_ms"))
    for filling in (MODELS, MESSAGES, TOOLS):
        op.execute(filling)
    op.create_index("ix_conversations_created", "conversations", ["created_at"])
    used = ["conversation_id", "agent", "used_at", "use_entry_id", "use_index"]
    op.create_index("ix_tool_calls_used", "tool_calls", used)


def _quarters(table: str, by: str | None, counts: tuple[str, ...]) -> None:
    op.create_table(
        table,
        sa.Column("quarter", number, primary_key=True),
        sa.Column("conversation_id", number, sa.ForeignKey("conversations.id"), primary_key=True),
        *([sa.Column(by, sa.Text, primary_key=True)] if by else ()),
        *(sa.Column(count, number, nullable=False) for count in counts),
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{table}_conversation", table, ["conversation_id"])
