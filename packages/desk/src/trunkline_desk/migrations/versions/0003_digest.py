"""Let a page see without reading a snapshot that it is the one that it knows."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Give snapshots a digest; none matches until the runner has looked again."""
    digest = sa.Column("digest", sa.Text, nullable=False, server_default="")
    op.add_column("snapshot", digest)
