"""Which migrations made the database what it is, kept in the database itself.

Alembic keeps the last one only. An older build that finds a revision it has never
heard of cannot tell a newer build's from another branch's; in this list it looks for
its own.
"""

from collections.abc import Collection
from datetime import UTC, datetime

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, MetaData, String, Table

from ..core.platform.db.tables import UTCDateTime

HISTORY = Table(
    "migration_history",
    MetaData(),
    Column("revision", String(32), primary_key=True),
    Column("applied_at", UTCDateTime, nullable=False),
)


def record(
    ctx: MigrationContext, step: object, heads: Collection[str], run_args: object
) -> None:
    """Have the list hold what `heads` are made of; in the step's own transaction."""
    connection, script = ctx.connection, ctx.script
    if connection is None or script is None:  # pragma: no cover - as for --sql
        return
    HISTORY.create(connection, checkfirst=True)
    listed = set(
        connection.scalars(HISTORY.select().with_only_columns(HISTORY.c.revision))
    )
    made_of = {
        step.revision
        for head in heads
        for step in script.iterate_revisions(head, "base")
    }
    for revision in listed - made_of:
        connection.execute(HISTORY.delete().where(HISTORY.c.revision == revision))
    now = datetime.now(UTC)
    for revision in made_of - listed:
        values = {"revision": revision, "applied_at": now}
        connection.execute(HISTORY.insert().values(values))
