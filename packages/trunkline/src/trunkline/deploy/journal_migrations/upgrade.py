"""Bring the journal's tables to their newest form, within the caller's transaction."""

import threading
from pathlib import Path

import sqlalchemy as sa

FOLDER = Path(__file__).parent
# The newest of `versions`. A journal that has it costs no import of Alembic.
NEWEST = "0001"
# What PostgreSQL locks while one process migrates. SQLite locks the file anyway.
LOCK = 4_140_025
# Alembic runs one upgrade at a time in a process.
ONE = threading.Lock()
VERSION = sa.table("deploy_journal_version", sa.column("version_num"))


def upgrade(connection: sa.Connection) -> None:
    """Run the migrations that this journal lacks."""
    if _is_newest(connection):
        return
    from alembic import command  # noqa: PLC0415 - see NEWEST
    from alembic.config import Config  # noqa: PLC0415

    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    with ONE:
        command.upgrade(config, "head")


def _is_newest(connection: sa.Connection) -> bool:
    if not sa.inspect(connection).has_table(VERSION.name):
        return False
    return connection.scalar(sa.select(VERSION.c.version_num)) == NEWEST
