"""Indexes by which events are read again."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("ix_events_conversation", "events", ["conversation_id", "seq"])
    op.create_index("ix_events_project", "events", ["project_id", "seq"])
    op.create_index(
        "ix_events_subject",
        "events",
        ["subject", "seq"],
        sqlite_where=sa.text("subject IS NOT NULL"),
        postgresql_where=sa.text("subject IS NOT NULL"),
    )
