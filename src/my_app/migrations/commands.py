"""The commands `migrate`, `migration` and `migrations`."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.ddl.base import AddColumn
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from pydantic import SecretStr
from sqlalchemy import Connection, Table, event, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import TypeEngine

from ..core.platform.db.database import DatabaseSettings
from ..core.platform.db.revisions import VERSIONS, read_revisions
from .connection import MigrationError, migrating
from .history import HISTORY

UNKNOWN = (
    "The database has migrations that this build lacks: {}. Delete it if it holds "
    "nothing of value, or undo them on the branch that has them: "
    "uv run my-app migrate --down 1"
)


def configuration(versions: Path = VERSIONS) -> Config:
    """Return Alembic's configuration."""
    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(versions))
    # Named by date and time, so that files are listed in the order in which they run.
    time = "%%(hour).2d%%(minute).2d%%(second).2d"
    template = f"%%(year)d_%%(month).2d_%%(day).2d_{time}_%%(slug)s"
    config.set_main_option("file_template", template)
    return config


def migrate(
    settings: DatabaseSettings, *, down: int = 0, versions: Path = VERSIONS
) -> int:
    """Upgrade the database to the newest migration, or take back the last ones.

    Returns the exit code.
    """
    config, build = configuration(versions), read_revisions(versions)
    try:
        current, history = applied(settings)
        state = "" if down else build.state_of(current, history)
        if state == "ahead":
            print("The database is ahead of this build; nothing to migrate.")
            return 0
        if state == "unknown":
            unknown = ", ".join(sorted(current - build.parents.keys()))
            raise MigrationError(UNKNOWN.format(unknown))
        with migrating(settings) as connection:
            config.attributes["connection"] = connection
            if down:
                command.downgrade(config, f"-{down}")
            else:
                command.upgrade(config, "head")
            heads = MigrationContext.configure(connection).get_current_heads()
    except (CommandError, DBAPIError, MigrationError) as error:
        print(f"Migration failed: {explain(error)}", file=sys.stderr)
        return 1
    print(f"The database is at {', '.join(heads) or 'no revision'}.")
    return 0


def applied(settings: DatabaseSettings) -> tuple[set[str], set[str]]:
    """Return the latest revisions of the database, and all that it has."""
    with migrating(settings) as connection:
        current = {*MigrationContext.configure(connection).get_current_heads()}
        listed = HISTORY.select().with_only_columns(HISTORY.c.revision)
        recorded = inspect(connection).has_table(HISTORY.name)
        return current, {*connection.scalars(listed)} if recorded else set()


def explain(error: Exception) -> str:
    """Return the driver's message, without the statement and its values."""
    if not isinstance(error, DBAPIError):
        return str(error)
    message = str(error.orig).strip()
    return message if error.statement else f"{message}\nCheck APP_DATABASE_URL."


def list_migrations(*, as_json: bool) -> int:
    """Print the heads as JSON, or all migrations for people."""
    if as_json:
        print(json.dumps(read_revisions().heads))
        return 0
    for step in ScriptDirectory.from_config(configuration()).walk_revisions():
        print(step.log_entry, end="\n\n")
    return 0


def compare(settings: DatabaseSettings, *, versions: Path = VERSIONS) -> int:
    """Print as JSON how this build and the database differ; return the exit code."""
    try:
        current, history = applied(settings)
    except (DBAPIError, MigrationError) as error:
        print(f"The database cannot be read: {explain(error)}", file=sys.stderr)
        return 1
    build, had = read_revisions(versions), current | history
    steps = [*ScriptDirectory.from_config(configuration(versions)).walk_revisions()]
    missing = [step for step in reversed(steps) if step.revision not in had]
    document = {
        "state": build.state_of(current, history),
        "current": sorted(current),
        "pending": [{"id": one.revision, "subject": one.doc} for one in missing],
        "unknown": sorted(had - build.parents.keys()),
    }
    print(json.dumps(document))
    return 0


def new_migration(message: str) -> int:
    """Write a migration that turns the existing tables into those of the models.

    Compares with a temporary database, so that no other is needed.
    """
    with TemporaryDirectory() as folder:
        scratch = DatabaseSettings(
            environment="test",
            database_url=SecretStr(f"sqlite:///{Path(folder, 'scratch.db')}"),
        )
        config = configuration()
        with migrating(scratch) as connection:
            config.attributes["connection"] = connection
            keep_types(connection)
            command.upgrade(config, "head")
            command.revision(config, message, autogenerate=True)
    return 0


def keep_types(connection: Connection) -> None:
    """Read tables with the types that the migrations gave to their columns.

    SQLite's own would restore a dropped table that PostgreSQL does not know.
    """
    types: dict[tuple[str, str], TypeEngine[Any]] = {}

    def note(_: Connection, clause: object, *__: object) -> None:
        if isinstance(clause, CreateTable):
            name = clause.element.name.removeprefix("_alembic_tmp_")
            types.update({(name, it.name): it.type for it in clause.element.columns})
        elif isinstance(clause, AddColumn):
            types[clause.table_name, clause.column.name] = clause.column.type

    def restore(_: object, table: Table, column: dict[str, Any]) -> None:
        column["type"] = types.get((table.name, column["name"]), column["type"])

    event.listen(connection, "before_execute", note)
    event.listen(Table, "column_reflect", restore)
