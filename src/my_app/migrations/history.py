"""The history of applied migrations, stored in the database itself.

Alembic only stores the latest. An older build that finds an unknown revision cannot
tell a newer build's from another branch's; in this history it looks for its own.
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
    """Update the history to the ancestry of `heads`, in the step's transaction."""
    connection, script = ctx.connection, ctx.script
    if connection is None or script is None:  # pragma: no cover - only with --sql
        return
    HISTORY.create(connection, checkfirst=True)
    listed = set(
        connection.scalars(HISTORY.select().with_only_columns(HISTORY.c.revision))
    )
    ancestry = {
        step.revision
        for head in heads
        for step in script.iterate_revisions(head, "base")
    }
    for revision in listed - ancestry:
        connection.execute(HISTORY.delete().where(HISTORY.c.revision == revision))
    now = datetime.now(UTC)
    for revision in ancestry - listed:
        values = {"revision": revision, "applied_at": now}
        connection.execute(HISTORY.insert().values(values))
