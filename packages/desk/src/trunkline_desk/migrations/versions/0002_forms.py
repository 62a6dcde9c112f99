"""Know each form by its key, also one that changes only whose an environment is."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the key; what happened before has none."""
    op.add_column(
        "event", sa.Column("key", sa.Text(), server_default="", nullable=False)
    )
    op.create_index("event_by_key", "event", ["key"])
