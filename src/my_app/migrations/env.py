"""The script that Alembic runs for every command."""

from typing import TYPE_CHECKING, Literal

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.types import TypeDecorator

from my_app.config import load
from my_app.core.app import ServiceSettings
from my_app.core.platform.db.database import DatabaseSettings
from my_app.core.platform.db.tables import load_tables
from my_app.migrations.connection import migrating
from my_app.migrations.history import HISTORY, record

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext


def render_item(kind: str, item: object, _: "AutogenContext") -> str | Literal[False]:
    """Render the underlying type, so that migrations do not depend on our code."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def include_name(name: str | None, kind: str, _: object) -> bool:
    """Exclude the history table from comparisons."""
    return not (kind == "table" and name == HISTORY.name)


def run(connection: Connection) -> None:
    """Run the command on a connection from `migrating`."""
    context.configure(
        connection=connection,
        target_metadata=load_tables(),
        transaction_per_migration=True,
        transactional_ddl=True,
        render_as_batch=True,  # SQLite changes a column by copying the table.
        render_item=render_item,
        include_name=include_name,
        compare_server_default=True,
        on_version_apply=record,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Migrations need a database: run without --sql.")
if given := context.config.attributes.get("connection"):
    run(given)
else:
    with migrating(load(ServiceSettings).settings.of(DatabaseSettings)) as opened:
        run(opened)
