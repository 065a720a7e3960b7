"""Streams know which model is at work, for responses that do not name theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("streams", sa.Column("model", sa.Text, nullable=False, server_default=""))
