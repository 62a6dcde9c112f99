"""Store idempotency keys.

Revision ID: eb61804b749a
Revises:
Create Date: 2026-11-26 11:59:13.001996
"""

import sqlalchemy as sa
from alembic import op

revision = "eb61804b749a"
down_revision = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        op.f("ix_idempotency_keys_made_at"), "idempotency_keys", ["made_at"]
    )


def downgrade() -> None:
    """Change them back."""
    op.drop_table("idempotency_keys")
