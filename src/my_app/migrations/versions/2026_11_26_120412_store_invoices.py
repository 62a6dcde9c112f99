"""Store invoices.

Revision ID: 5e0c7d1b92fa
Revises: eb61804b749a
Create Date: 2026-11-26 12:04:12.851264
"""

import sqlalchemy as sa
from alembic import op

revision = "5e0c7d1b92fa"
down_revision = "eb61804b749a"


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "invoices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
    )


def downgrade() -> None:
    """Change them back."""
    op.drop_table("invoices")
