"""SQLite, made to do as other databases do."""

import asyncio
import sqlite3
from math import inf
from time import monotonic
from typing import Any, cast

from sqlalchemy import AdaptedConnection, Connection, Engine, ExecutionContext, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolResetState

# Of `create_async_engine`: transactions begin and end by hand, as `prepare` has it.
OPTIONS: dict[str, Any] = {"pool_reset_on_return": None}
CONNECT_ARGS: dict[str, Any] = {"isolation_level": None}

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
    """Set connections up, bound each statement, and do transactions by hand."""
    sync = engine.sync_engine

    @event.listens_for(sync, "connect")
    def set_up(connection: Any, record: Any) -> None:  # noqa: ANN401 - any driver's
        clock = record.info["clock"] = Clock(statement_seconds)
        connection.run_async(lambda it: it.set_progress_handler(clock.rings, STEPS))
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(sync, "invalidate")
    def stop(_: object, record: Any, __: object) -> None:  # noqa: ANN401
        # Whoever asked has gone, and the connection closes after what it is doing.
        record.info["clock"].ring()

    begin_and_end_by_hand(sync)


def begin_and_end_by_hand(engine: Engine) -> None:
    """Have transactions begin when they must, and end once.

    One that will write takes its lock at the start, where the wait for it is bounded: a
    read that turns into a write behind another writer fails at once. One that is to
    read begins with its first statement that is no query; until then each query sees
    what was committed before it, as on PostgreSQL.

    Every word to a connection is a turn of its thread and back. This saves two of the
    seven that a read would cost.
    """

    @event.listens_for(engine, "begin")
    def begin_to_write(connection: Connection) -> None:
        if connection.get_execution_options().get("writing"):
            begin(connection, "BEGIN IMMEDIATE")

    @event.listens_for(engine, "before_cursor_execute", named=True)
    def begin_to_read(conn: Connection, context: ExecutionContext, **_: object) -> None:
        asked = context.invoked_statement
        query = asked is not None and asked.is_select
        if not query and not is_open(driver_of(conn)):
            begin(conn, "BEGIN")
        conn.info["clock"].start()

    @event.listens_for(engine, "reset")
    def end(driver: AdaptedConnection, _: object, state: PoolResetState) -> None:
        # The pool would roll back after a commit, too.
        if state.asyncio_safe and is_open(driver):
            driver.run_async(lambda it: it.rollback())


def begin(connection: Connection, statement: str) -> None:
    """Begin a transaction in one turn of the connection's thread.

    SQLAlchemy's cursor would take three.
    """
    connection.info["clock"].start()
    try:
        driver_of(connection).run_async(lambda it: it.execute(statement))
    except sqlite3.Error as error:
        raise OperationalError(statement, None, error) from error
    except asyncio.CancelledError:
        # It may begin yet, when nobody is there to end it.
        connection.invalidate()
        raise


def driver_of(connection: Connection) -> AdaptedConnection:
    """Return the driver's own connection."""
    return cast(AdaptedConnection, connection.connection.dbapi_connection)


def is_open(driver: AdaptedConnection) -> bool:
    """Tell whether a transaction has begun and not ended."""
    found: bool = driver.driver_connection.in_transaction
    return found
