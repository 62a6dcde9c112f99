"""The connection of a migration: one migrator at a time, no long waits."""

import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, text

from ..core.platform.db.database import DatabaseSettings
from ..core.platform.db.engine import url_of

# Any number that no other program uses as an advisory lock on the same database.
LOCK = 0x6D_69_67_72_61_74_65
POLL_SECONDS = 0.2
SQLITE_TIMEOUT_SECONDS = 60


class MigrationError(Exception):
    """A migration would corrupt the database, so it was rolled back."""


@contextmanager
def migrating(settings: DatabaseSettings) -> Iterator[Connection]:
    """Connect as the only migrator of this database, waiting for any other."""
    url = url_of(settings)
    opened = (
        sqlite(url) if url.get_backend_name() == "sqlite" else postgres(url, settings)
    )
    with opened as connection:
        yield connection


@contextmanager
def sqlite(url: URL) -> Iterator[Connection]:
    """Lock the file and run all migrations in one transaction.

    Foreign keys are off meanwhile: SQLite changes a column by copying the table, and
    dropping the old one would delete the rows that refer to it.
    """
    engine = create_engine(
        url.set(drivername="sqlite"),
        poolclass=NullPool,
        connect_args={"timeout": SQLITE_TIMEOUT_SECONDS, "isolation_level": None},
    )
    prepare_sqlite(engine)
    with engine.connect() as connection:
        with connection.begin():
            yield connection
            refuse_broken_references(connection)
        # If two processes do this at once, SQLite refuses one without waiting; by then
        # the other has done it.
        with suppress(sqlite3.OperationalError):
            connection.connection.cursor().execute("PRAGMA journal_mode=WAL")


def refuse_broken_references(connection: Connection) -> None:
    """Check foreign keys, which were off during the migration."""
    if broken := connection.execute(text("PRAGMA foreign_key_check")).all():
        tables = ", ".join(sorted({row[0] for row in broken}))
        raise MigrationError(
            f"The migration leaves {len(broken)} rows with broken foreign keys "
            f"in: {tables}. Nothing was changed."
        )


def prepare_sqlite(engine: Engine) -> None:
    """Begin each transaction with the write lock, including schema changes."""

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:  # noqa: ANN401 - any driver's
        connection.execute("PRAGMA foreign_keys=OFF")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def postgres(url: URL, settings: DatabaseSettings) -> Iterator[Connection]:
    """Hold an advisory lock and run each migration in its own transaction.

    No statement waits long for a table, because it would block everyone after it.
    """
    engine = create_engine(
        url,
        poolclass=NullPool,
        connect_args={
            "connect_timeout": round(settings.database_connect_timeout_seconds)
        },
    )
    wait = round(settings.database_lock_timeout_seconds * 1000)
    with engine.connect() as connection:
        lock(connection)
        connection.execute(text(f"SET lock_timeout = {wait}"))
        connection.commit()
        yield connection


def lock(connection: Connection) -> None:
    """Wait until no other migrator is running.

    Polls, because a waiting transaction would block `CREATE INDEX CONCURRENTLY` of the
    other migrator.
    """
    announced = False
    while not connection.scalar(text(f"SELECT pg_try_advisory_lock({LOCK})")):
        connection.commit()
        if not announced:
            print("Waiting for another migration to finish.", file=sys.stderr)
            announced = True
        time.sleep(POLL_SECONDS)
    connection.commit()
