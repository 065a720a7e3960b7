"""Who sees what: a log of reads, an index by machines, and of which machine was what is forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXTS = ("user_id", "email", "credential", "address", "route", "conversation", "machine", "served_by")


def upgrade() -> None:
    op.create_table(
        "reads",
        sa.Column("id", number, primary_key=True),
        sa.Column("at", number, nullable=False),
        *(sa.Column(name, text, nullable=False) for name in TEXTS),
    )
    for name, column in (("at", "at"), ("user", "user_id"), ("conversation", "conversation")):
        op.create_index(f"ix_reads_{name}", "reads", [column])
    op.create_index("ix_conversations_machine", "conversations", ["machine_id", "updated_at"])
    op.add_column("events", sa.Column("machine_id", number))
