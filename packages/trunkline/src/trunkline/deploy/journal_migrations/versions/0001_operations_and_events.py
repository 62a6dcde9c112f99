"""Store operations and their events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TABLES = ("operation", "event")
SQLITE = """
CREATE TRIGGER {table}_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
"""
POSTGRESQL = (
    """
CREATE OR REPLACE FUNCTION journal_stays() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$
""",
    "CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
    "EXECUTE FUNCTION journal_stays()",
)


def upgrade() -> None:
    """Create both tables, which refuse changes and deletions."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    _create()
    for table in TABLES:
        for verb in ("UPDATE", "DELETE") if sqlite else ():
            op.execute(SQLITE.format(table=table, verb=verb))
        for statement in () if sqlite else POSTGRESQL:
            op.execute(statement.format(table=table))


def _create() -> None:
    op.create_table(
        "operation",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("at", sa.Double, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("ref", "commit", "variables_of", "digest", "by")
        ),
        sa.Column("took_back", sa.Integer, nullable=False),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("kind", "text", "reason")
        ),
        sa.Column("seconds", sa.Double, nullable=False),
    )
