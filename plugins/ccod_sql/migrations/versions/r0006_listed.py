"""An index by which the entries of a conversation are listed and counted."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index("ix_entries_listed", "entries", ["conversation_id", "agent", "duplicate", "id"])
