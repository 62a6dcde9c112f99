"""Store operations and their events, and take over a file of before this migration."""

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
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    earlier = sqlite and sa.inspect(connection).has_table("operation")
    for table in TABLES if earlier else ():
        op.rename_table(table, f"{table}_before")
    _create()
    for table in TABLES if earlier else ():
        names = [
            c["name"] for c in sa.inspect(connection).get_columns(f"{table}_before")
        ]
        copied = ", ".join(f'"{name}"' for name in names)
        order = "rowid" if table == "operation" else "id"
        op.execute(
            f"INSERT INTO {table} (place, {copied}) "  # noqa: S608 - constant names
            f"SELECT '', {copied} FROM {table}_before ORDER BY {order}"
        )
        op.drop_table(f"{table}_before")
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
