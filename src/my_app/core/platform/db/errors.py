"""Which of the database's errors are outages: it cannot now, and may later.

What is left is a bug, and answered as one.
"""

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError, TimeoutError

from ..errors import DomainError


class DatabaseUnavailableError(DomainError):
    """The database cannot be used now. A later attempt may succeed."""

    status = 503
    code = "database_unavailable"


class DatabaseBusyError(DatabaseUnavailableError):
    """Every connection is in use, or somebody else holds what is needed."""

    code = "database_busy"


class DatabaseFullError(DatabaseUnavailableError):
    """There is no room for what was to be written."""

    code = "database_full"


UNAVAILABLE = "The database cannot be used now. Try again later."
BUSY = "The database has too much to do. Try again later."
FULL = "The database has no room left. Give the service's operators the request_id."

# SQLite's result codes, without what they say in particular (the higher bits).
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

# PostgreSQL's: serialization failure, deadlock, too many connections, lock not
# available, query cancelled (as after the statement timeout).
POSTGRES_BUSY = {"40001", "40P01", "53300", "55P03", "57014"}
POSTGRES_FULL = {"53100"}
# It has become a standby, so that this connection leads to the wrong server.
POSTGRES_MOVED = {"25006"}


def outage(error: SQLAlchemyError) -> DatabaseUnavailableError | None:
    """Tell which outage an error is a sign of; None: it is none."""
    if isinstance(error, TimeoutError):
        return DatabaseBusyError(BUSY)
    if not isinstance(error, DBAPIError):
        return None
    if sqlite_code := getattr(error.orig, "sqlite_errorcode", 0):
        return of_sqlite(sqlite_code & 0xFF)
    return of_postgres(error, getattr(error.orig, "sqlstate", None))


def of_sqlite(code: int) -> DatabaseUnavailableError | None:
    """Read SQLite's result code."""
    if code in SQLITE_BUSY:
        return DatabaseBusyError(BUSY)
    if code == sqlite3.SQLITE_FULL:
        return DatabaseFullError(FULL)
    return DatabaseUnavailableError(UNAVAILABLE) if code in SQLITE_UNAVAILABLE else None


def of_postgres(
    error: DBAPIError, sqlstate: str | None
) -> DatabaseUnavailableError | None:
    """Read PostgreSQL's SQLSTATE; an error of the connection itself has none."""
    if sqlstate in POSTGRES_BUSY:
        return DatabaseBusyError(BUSY)
    if sqlstate in POSTGRES_FULL:
        return DatabaseFullError(FULL)
    lost = isinstance(error, OperationalError) or error.connection_invalidated
    if lost or sqlstate in POSTGRES_MOVED:
        return DatabaseUnavailableError(UNAVAILABLE)
    return None
