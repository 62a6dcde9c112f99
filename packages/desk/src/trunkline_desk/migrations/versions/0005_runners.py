"""Let each of several runners see whether another one still carries out a request."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Name the runner of a request, and count its signs of life."""
    runner = sa.Column("runner", sa.Text, nullable=False, server_default="")
    op.add_column("request", runner)
    beats = sa.Column("beats", sa.Integer, nullable=False, server_default="0")
    op.add_column("request", beats)
