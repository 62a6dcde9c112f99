"""Database outages: errors that may go away, mapped to 503.

Every other database error is a bug and is answered with 500.
"""

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError, TimeoutError

from ..errors import DomainError


class DatabaseUnavailableError(DomainError):
    """The database is unavailable; a later attempt may succeed."""

    status = 503
    code = "database_unavailable"


class DatabaseBusyError(DatabaseUnavailableError):
    """Every connection is in use, or another transaction holds a lock."""

    code = "database_busy"


class DatabaseFullError(DatabaseUnavailableError):
    """The disk of the database is full."""

    code = "database_full"


class DatabaseOutdatedError(DatabaseUnavailableError):
    """The database lacks a table or a column of this build."""

    code = "database_outdated"


OUTDATED = (
    "The database lacks a table or column of this build. Type: "
    "uv run my-app migrate "
    '(if no migration makes it, first: make migration m="…")'
)
UNAVAILABLE = "The database is unavailable. Try again later."
BUSY = "The database is busy. Try again later."
FULL = "The database is full. Report the request_id to the operators."

# SQLite's primary result codes (the low 8 bits of the extended ones).
SQLITE_BUSY = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_LOCKED,
}
SQLITE_UNAVAILABLE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}

# PostgreSQL's SQLSTATEs: serialization failure, deadlock, too many connections, lock
# not available, query cancelled (for example by the statement timeout).
POSTGRES_BUSY = {"40001", "40P01", "53300", "55P03", "57014"}
POSTGRES_FULL = {"53100"}
# The server became a standby, so this connection leads to the wrong one.
POSTGRES_MOVED = {"25006"}


def to_outage(error: SQLAlchemyError) -> DatabaseUnavailableError | None:
    """Map a driver error to an outage; None if it is a bug."""
    if isinstance(error, TimeoutError):
        return DatabaseBusyError(BUSY)
    if not isinstance(error, DBAPIError):
        return None
    if sqlite_code := getattr(error.orig, "sqlite_errorcode", 0):
        return from_sqlite(sqlite_code & 0xFF)
    return from_postgres(error, getattr(error.orig, "sqlstate", None))


def from_sqlite(code: int) -> DatabaseUnavailableError | None:
    """Map SQLite's result code."""
    if code in SQLITE_BUSY:
        return DatabaseBusyError(BUSY)
    if code == sqlite3.SQLITE_FULL:
        return DatabaseFullError(FULL)
    return DatabaseUnavailableError(UNAVAILABLE) if code in SQLITE_UNAVAILABLE else None


def from_postgres(
    error: DBAPIError, sqlstate: str | None
) -> DatabaseUnavailableError | None:
    """Map PostgreSQL's SQLSTATE; connection errors have none."""
    if sqlstate in POSTGRES_BUSY:
        return DatabaseBusyError(BUSY)
    if sqlstate in POSTGRES_FULL:
        return DatabaseFullError(FULL)
    lost = isinstance(error, OperationalError) or error.connection_invalidated
    if lost or sqlstate in POSTGRES_MOVED:
        return DatabaseUnavailableError(UNAVAILABLE)
    return None
