"""SQLite, made to do as other databases do."""

import sqlite3
from math import inf
from time import monotonic
from typing import Any, cast

from sqlalchemy import AdaptedConnection, Connection, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

# Write-ahead: readers and a writer do not wait for each other. A commit is on the disk
# when it returns.
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")

# Steps of SQLite's own machine between two looks at the clock, about a millisecond.
STEPS = 10_000


class Clock:
    """Ends a statement whose time is up: SQLite itself bounds only waits for a lock."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.due = inf

    def start(self) -> None:
        """Begin to count for a statement."""
        self.due = monotonic() + self.seconds

    def ring(self) -> None:
        """End the statement that runs, if one does."""
        self.due = -inf

    def rings(self) -> bool:
        """Tell SQLite whether to stop."""
        return monotonic() > self.due


def prepare(engine: AsyncEngine, *, statement_seconds: float) -> None:
    """Bound each statement, and begin transactions when they are said to begin.

    That is before reads and changes of tables, too. One that will write takes its lock
    at the start, where the wait for it is bounded: a read that turns into a write
    behind another writer fails at once.
    """
    sync = engine.sync_engine

    @event.listens_for(sync, "connect")
    def set_up(connection: Any, record: Any) -> None:  # noqa: ANN401 - any driver's
        clock = record.info["clock"] = Clock(statement_seconds)
        connection.run_async(lambda it: it.set_progress_handler(clock.rings, STEPS))
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(sync, "before_cursor_execute")
    def start_clock(connection: Connection, *_: object) -> None:
        connection.info["clock"].start()

    @event.listens_for(sync, "invalidate")
    def stop(_: object, record: Any, __: object) -> None:  # noqa: ANN401
        # Whoever asked has gone, and the connection closes after what it is doing.
        record.info["clock"].ring()

    @event.listens_for(sync, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing")
        statement = "BEGIN IMMEDIATE" if writing else "BEGIN"
        driver = cast(AdaptedConnection, connection.connection.dbapi_connection)
        connection.info["clock"].start()
        try:
            # Past SQLAlchemy's cursor, which goes to the connection's thread and back
            # three times rather than once: a sixth of what a read costs.
            driver.run_async(lambda it: it.execute(statement))
        except sqlite3.Error as error:
            raise OperationalError(statement, None, error) from error
