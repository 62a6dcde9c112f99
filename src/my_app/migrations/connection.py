"""The connection that migrations run on: one migrator at a time, no long waits."""

import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, text

from ..config import Settings
from ..core.platform.db.engine import url_of

# Any number will do that no other program takes on the same database.
LOCK = 0x6D_69_67_72_61_74_65
POLL_SECONDS = 0.2
SQLITE_PATIENCE_SECONDS = 60


class MigrationError(Exception):
    """A migration would leave the database wrong, so nothing of it was kept."""


@contextmanager
def migrating(settings: Settings) -> Iterator[Connection]:
    """Connect as the only migrator of this database; wait for another to finish."""
    url = url_of(settings)
    opened = (
        sqlite(url) if url.get_backend_name() == "sqlite" else postgres(url, settings)
    )
    with opened as connection:
        yield connection


@contextmanager
def sqlite(url: URL) -> Iterator[Connection]:
    """Lock the file and change it in one transaction, all of it or nothing.

    Foreign keys are off meanwhile: SQLite changes a column by copying the table, and
    dropping the old one would delete the rows that refer to it.
    """
    engine = create_engine(
        url.set(drivername="sqlite"),
        poolclass=NullPool,
        connect_args={"timeout": SQLITE_PATIENCE_SECONDS, "isolation_level": None},
    )
    prepare_sqlite(engine)
    with engine.connect() as connection:
        with connection.begin():
            yield connection
            refuse_broken_references(connection)
        # Of two that do this at once one is refused, whatever it would wait; the other
        # has done it then.
        with suppress(sqlite3.OperationalError):
            connection.connection.cursor().execute("PRAGMA journal_mode=WAL")


def refuse_broken_references(connection: Connection) -> None:
    """Check what was not checked while foreign keys were off."""
    if broken := connection.execute(text("PRAGMA foreign_key_check")).all():
        tables = ", ".join(sorted({row[0] for row in broken}))
        raise MigrationError(
            f"The migration leaves {len(broken)} rows that refer to nothing, "
            f"in: {tables}. Nothing was changed."
        )


def prepare_sqlite(engine: Engine) -> None:
    """Have each transaction begin with the lock, tables' changes included."""

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: object) -> None:  # noqa: ANN401 - any driver's
        connection.execute("PRAGMA foreign_keys=OFF")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def postgres(url: URL, settings: Settings) -> Iterator[Connection]:
    """Hold an advisory lock; each migration is a transaction of its own.

    No statement waits long for a table: whoever waits for one holds up everybody who
    comes after.
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
    """Wait until no other migrator is at work.

    Asked for again and again, for a transaction that waits is one that `CREATE INDEX
    CONCURRENTLY` of the other migrator waits for.
    """
    told = False
    while not connection.scalar(text(f"SELECT pg_try_advisory_lock({LOCK})")):
        connection.commit()
        if not told:
            print("Another migrator is at work; waiting for it.", file=sys.stderr)
            told = True
        time.sleep(POLL_SECONDS)
    connection.commit()
