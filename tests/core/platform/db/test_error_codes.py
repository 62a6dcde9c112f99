"""Which errors of a driver are outages, by the codes that the database gives."""

import sqlite3

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InvalidRequestError,
    OperationalError,
    ProgrammingError,
    TimeoutError,
)

from my_app.core.platform.db.errors import to_outage


def of_sqlite(code: int) -> DBAPIError:
    cause = sqlite3.OperationalError("said in words")
    cause.sqlite_errorcode = code
    return OperationalError("SELECT 1", {}, cause)


def of_postgres(kind: type[psycopg.Error]) -> DBAPIError:
    operational = issubclass(kind, psycopg.OperationalError)
    wrapper = OperationalError if operational else ProgrammingError
    return wrapper("SELECT 1", {}, kind("said in words"))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TimeoutError("the pool is empty"), "database_busy"),
        (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), "database_busy"),
        (of_sqlite(sqlite3.SQLITE_INTERRUPT), "database_busy"),
        (of_sqlite(sqlite3.SQLITE_FULL), "database_full"),
        (of_sqlite(sqlite3.SQLITE_CANTOPEN), "database_unavailable"),
        (of_sqlite(sqlite3.SQLITE_IOERR_WRITE), "database_unavailable"),
        (of_sqlite(sqlite3.SQLITE_READONLY_DBMOVED), "database_unavailable"),
        (of_postgres(errors.DiskFull), "database_full"),
        (of_postgres(errors.QueryCanceled), "database_busy"),
        (of_postgres(errors.TooManyConnections), "database_busy"),
        (of_postgres(errors.DeadlockDetected), "database_busy"),
        (of_postgres(errors.AdminShutdown), "database_unavailable"),
        (of_postgres(errors.CannotConnectNow), "database_unavailable"),
        (of_postgres(errors.ReadOnlySqlTransaction), "database_unavailable"),
        (of_postgres(psycopg.OperationalError), "database_unavailable"),
        (
            InterfaceError("", {}, Exception(), connection_invalidated=True),
            "database_unavailable",
        ),
    ],
)
def test_what_may_pass_is_an_outage(error: DBAPIError, code: str) -> None:
    found = to_outage(error)

    assert found is not None
    assert (found.status, found.code) == (503, code)
    assert "said in words" not in str(found)


@pytest.mark.parametrize(
    "error",
    [
        of_sqlite(sqlite3.SQLITE_ERROR),
        of_postgres(errors.UndefinedTable),
        of_postgres(errors.UniqueViolation),
        InvalidRequestError("used wrongly"),
    ],
)
def test_what_will_not_pass_is_a_bug(error: DBAPIError) -> None:
    assert to_outage(error) is None
