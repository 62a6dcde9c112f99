"""`python -m my_app migrate`, `migration` and `migrations`."""

import argparse
import logging
import sys
from collections.abc import Sequence

from ..config import load
from ..core.app import ServiceSettings
from ..core.platform.db.database import DatabaseSettings
from ..core.platform.observability.logs import configure_logging
from ..environment import EnvironmentVariablesError
from . import commands


def main(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    options = parse(arguments)
    if options.command == "migrations" and not options.database:
        return commands.list_migrations(as_json=options.json)
    if options.command == "migration":
        return commands.new_migration(options.message)
    try:
        settings, _ = load(ServiceSettings)
    except EnvironmentVariablesError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    database = settings.of(DatabaseSettings)
    if options.command == "migrations":
        return commands.compare(database)  # What is printed is JSON alone.
    configure_logging(settings)
    # Which migration runs is worth a line, what Alembic assumes of a database is not.
    runtime = logging.getLogger("alembic.runtime.migration")
    runtime.addFilter(lambda record: record.msg.startswith("Running"))
    return commands.migrate(database, down=options.down)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command and its options."""
    parser = argparse.ArgumentParser(prog="my-app")
    found = parser.add_subparsers(dest="command", required=True)
    run = found.add_parser("migrate", help="upgrade the database to this build")
    run.add_argument(
        "--down", type=int, default=0, metavar="N", help="undo the last N, data too"
    )
    new = found.add_parser("migration", help="write a migration from changed models")
    new.add_argument(
        "-m", "--message", required=True, help="what it does, such as 'add a column'"
    )
    known = found.add_parser("migrations", help="list the migrations of this build")
    known.add_argument("--json", action="store_true", help="print the heads as JSON")
    known.add_argument(
        "--database", action="store_true", help="compare them with the database"
    )
    return parser.parse_args(arguments)
