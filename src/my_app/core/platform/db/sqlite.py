"""Make SQLite behave like PostgreSQL."""

import asyncio
import sqlite3
from math import inf
from time import monotonic
from typing import Any, cast

from sqlalchemy import AdaptedConnection, Connection, Engine, ExecutionContext, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolResetState

# For `create_async_engine`: `configure` controls transactions explicitly.
OPTIONS: dict[str, Any] = {"pool_reset_on_return": None}
CONNECT_ARGS: dict[str, Any] = {"isolation_level": None}

# Write-ahead log: readers and a writer do not block each other. FULL: a commit is on
# disk when it returns.
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")

# Virtual machine instructions between two checks of the clock, about a millisecond.
STEPS = 10_000


class StatementTimeout:
    """A statement timeout. SQLite itself only limits waits for a lock."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.due = inf

    def start(self) -> None:
        """Start the clock for a statement."""
        self.due = monotonic() + self.seconds

    def interrupt(self) -> None:
        """Abort the running statement, if any."""
        self.due = -inf

    def expired(self) -> bool:
        """Return whether SQLite must abort the statement."""
        return monotonic() > self.due


def configure(engine: AsyncEngine, *, statement_seconds: float) -> None:
    """Set up connections, limit each statement and control transactions."""
    sync = engine.sync_engine

    @event.listens_for(sync, "connect")
    def set_up(connection: Any, record: Any) -> None:  # noqa: ANN401 - any driver's
        timeout = record.info["timeout"] = StatementTimeout(statement_seconds)
        connection.run_async(
            lambda driver: driver.set_progress_handler(timeout.expired, STEPS)
        )
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(sync, "invalidate")
    def stop(_: object, record: Any, __: object) -> None:  # noqa: ANN401
        # The caller is gone, and the connection closes once its statement ends.
        record.info["timeout"].interrupt()

    control_transactions(sync)


def control_transactions(engine: Engine) -> None:
    """Begin transactions as late as possible, and end them once.

    A writing transaction takes the write lock at its start, where the wait is limited:
    a read that turns into a write behind another writer would fail at once. A reading
    one begins at its first statement that is not a query; until then each query sees
    what was committed before it, as on PostgreSQL.

    Every call costs a round trip to the connection's thread; this saves two of the
    seven that a read would cost.
    """

    @event.listens_for(engine, "begin")
    def begin_to_write(connection: Connection) -> None:
        if connection.get_execution_options().get("writing"):
            begin(connection, "BEGIN IMMEDIATE")

    @event.listens_for(engine, "before_cursor_execute", named=True)
    def begin_to_read(conn: Connection, context: ExecutionContext, **_: object) -> None:
        statement = context.invoked_statement
        query = statement is not None and statement.is_select
        if not query and not is_open(driver_of(conn)):
            begin(conn, "BEGIN")
        conn.info["timeout"].start()

    @event.listens_for(engine, "reset")
    def end(driver: AdaptedConnection, _: object, state: PoolResetState) -> None:
        # The pool would roll back even after a commit.
        if state.asyncio_safe and is_open(driver):
            driver.run_async(lambda connection: connection.rollback())


def begin(connection: Connection, statement: str) -> None:
    """Begin a transaction in one round trip; SQLAlchemy's cursor would take three."""
    connection.info["timeout"].start()
    try:
        driver_of(connection).run_async(lambda driver: driver.execute(statement))
    except sqlite3.Error as error:
        raise OperationalError(statement, None, error) from error
    except asyncio.CancelledError:
        # The transaction may still begin, with nobody left to end it.
        connection.invalidate()
        raise


def driver_of(connection: Connection) -> AdaptedConnection:
    """Return the driver's own connection."""
    return cast(AdaptedConnection, connection.connection.dbapi_connection)


def is_open(driver: AdaptedConnection) -> bool:
    """Return whether a transaction is open."""
    found: bool = driver.driver_connection.in_transaction
    return found
