"""Outages: which errors are one, and a 503 from which the service recovers."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from httpx2 import AsyncClient, Response
from psycopg import errors
from pydantic import SecretStr
from sqlalchemy import make_url, text
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InvalidRequestError,
    OperationalError,
    ProgrammingError,
    TimeoutError,
)

from my_app.config import Flags
from my_app.core.app import create_app
from my_app.core.platform.db import database as platform
from my_app.core.platform.db.database import DatabaseSettings
from my_app.core.platform.db.engine import connect
from my_app.core.platform.db.errors import to_outage
from my_app.core.platform.db.tables import load_tables

from tests.conftest import MakeClient
from tests.core.platform.notes import create_notes, notes


@pytest.fixture
def settings(database_url: str) -> DatabaseSettings:
    """One connection and short timeouts."""
    return DatabaseSettings(
        environment="test",
        database_url=SecretStr(database_url),
        database_pool_size=1,
        database_connect_timeout_seconds=1,
        database_statement_timeout_seconds=0.2,
        readiness_cache_seconds=0,
    )


@pytest.fixture
async def client(
    settings: DatabaseSettings, flags: Flags, make_client: MakeClient
) -> AsyncIterator[AsyncClient]:
    app = create_app(settings, flags, [platform.feature, notes])
    async with make_client(app) as client:
        await create_notes(app.state.database)
        yield client


def assert_unavailable(response: Response, code: str) -> None:
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "1"
    assert response.json()["code"] == code


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """Hold a lock that every write needs."""
    other = connect(DatabaseSettings(environment="test", database_url=SecretStr(url)))
    async with other.transaction(writing=True) as session:
        await session.connection()  # Begins the transaction.
        if url.startswith("postgresql"):
            await session.execute(text("LOCK TABLE test_notes IN EXCLUSIVE MODE"))
        yield
    await other.close()


@pytest.mark.slow
async def test_a_lock_timeout_is_503(client: AsyncClient, database_url: str) -> None:
    async with locked(database_url):
        refused = await client.post("/notes/one")

    assert_unavailable(refused, "database_busy")
    assert (await client.post("/notes/one")).status_code == 200


@pytest.mark.slow
async def test_a_full_pool_is_503(
    flags: Flags, settings: DatabaseSettings, make_client: MakeClient
) -> None:
    soon = settings.model_copy(update={"database_connect_timeout_seconds": 0.05})
    app = create_app(soon, flags, [platform.feature, notes])
    async with make_client(app) as client:
        await create_notes(app.state.database)
        first, second, ready = await asyncio.gather(
            client.post("/notes/one", params={"pause": 0.2}),
            client.post("/notes/two"),
            client.get("/readyz"),
        )

    assert first.status_code == ready.status_code == 200
    assert_unavailable(second, "database_busy")


async def test_invalid_sql_is_a_bug(client: AsyncClient) -> None:
    wrong = await client.post("/sql", params={"statement": "SELECT * FROM nowhere"})

    assert wrong.status_code == 500


SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
    "WHERE i < 1000000000) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


@pytest.mark.slow
async def test_a_slow_statement_is_503(client: AsyncClient, database_url: str) -> None:
    slow = SLOW[make_url(database_url).drivername]
    late = await client.post("/sql", params={"statement": slow})

    assert_unavailable(late, "database_busy")
    assert (await client.get("/notes")).status_code == 200


@pytest.mark.slow
async def test_a_request_that_times_out_releases_its_connection(
    settings: DatabaseSettings, database_url: str, make_client: MakeClient
) -> None:
    slow = SLOW[make_url(database_url).drivername]
    changed = {"request_timeout_seconds": 1, "database_statement_timeout_seconds": 60}
    hasty = settings.model_copy(update=changed)
    app = create_app(hasty, Flags(), [platform.feature, notes])
    async with make_client(app) as client:
        await create_notes(app.state.database)
        late = await client.post("/sql", params={"statement": slow})
        free = await client.get("/notes")

    assert late.status_code == 503
    assert free.status_code == 200


def of_sqlite(code: int) -> DBAPIError:
    cause = sqlite3.OperationalError("the message")
    cause.sqlite_errorcode = code
    return OperationalError("SELECT 1", {}, cause)


def of_postgres(kind: type[psycopg.Error]) -> DBAPIError:
    operational = issubclass(kind, psycopg.OperationalError)
    wrapper = OperationalError if operational else ProgrammingError
    return wrapper("SELECT 1", {}, kind("the message"))


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
def test_errors_that_may_pass_are_outages(error: DBAPIError, code: str) -> None:
    found = to_outage(error)

    assert found is not None
    assert (found.status, found.code) == (503, code)
    assert "the message" not in str(found)


@pytest.mark.parametrize(
    "error",
    [
        of_sqlite(sqlite3.SQLITE_ERROR),
        of_postgres(errors.UndefinedTable),
        of_postgres(errors.UniqueViolation),
        InvalidRequestError("used wrongly"),
    ],
)
def test_other_errors_are_bugs(error: DBAPIError) -> None:
    assert to_outage(error) is None


async def test_a_database_without_the_tables_is_a_503_that_names_the_command(
    settings: DatabaseSettings,
    make_client: MakeClient,
    empty_url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("ERROR", "my_app")
    load_tables()
    empty = settings.model_copy(update={"database_url": SecretStr(empty_url)})
    app = create_app(empty, Flags(), [platform.feature, notes])
    async with make_client(app) as client:
        response = await client.get("/notes")

    assert_unavailable(response, "database_outdated")
    assert "uv run my-app migrate" in response.json()["detail"]
    assert "notes" in vars(caplog.records[0])["msg"]["cause"]
