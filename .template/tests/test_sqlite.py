"""SQLite's transactions: when they begin and end, and what that costs."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncConnection

from my_app.config import Flags
from my_app.core.app import create_app
from my_app.core.platform.db import database as platform
from my_app.core.platform.db.engine import Database, connect
from my_app.migrations.commands import migrate

from tests.conftest import MakeClient
from tests.core.platform.notes import NOTES, create_notes, notes
from tests.plugins.databases import settings_of

pytestmark = pytest.mark.anyio
READ = select(NOTES)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "notes.db"


@pytest.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    """Open a SQLite database for one test, whatever the run uses."""
    database = connect(settings_of(f"sqlite:///{file}"))
    await create_notes(database)
    yield database
    await database.close()


async def test_an_unavailable_file_is_used_once_it_is_there(
    tmp_path: Path, make_client: MakeClient
) -> None:
    folder = tmp_path / "volume"
    settings = settings_of(f"sqlite:///{folder}/my-app.db")
    soon = settings.model_copy(update={"readiness_cache_seconds": 0})
    app = create_app(soon, Flags(), [platform.feature, notes])
    async with make_client(app) as client:
        waiting = await client.get("/readyz")
        refused = await client.get("/notes")
        folder.mkdir()
        assert migrate(settings) == 0
        ready = await client.get("/readyz")

    assert waiting.json()["errors"][0] == {
        "pointer": "/checks/database.reachable",
        "detail": "The database is unavailable. Try again later.",
    }
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert ready.status_code == 200


async def driver_of(connection: AsyncConnection) -> Any:  # noqa: ANN401 - aiosqlite's
    return (await connection.get_raw_connection()).driver_connection


async def write(database: Database, note: str, *, writing: bool = True) -> None:
    async with database.transaction(writing=writing) as session:
        await session.execute(NOTES.insert().values(note=note))


async def kept(database: Database) -> list[str]:
    async with database.transaction(writing=False) as session:
        return [*await session.scalars(READ)]


async def test_a_query_sees_what_was_committed_before_it(database: Database) -> None:
    """As on PostgreSQL, reading twice is not a snapshot."""
    async with database.transaction(writing=False) as session:
        before = [*await session.scalars(READ)]
        await write(database, "one")
        after = [*await session.scalars(READ)]

    assert (before, after) == ([], ["one"])


async def read_write_and_fail(database: Database) -> None:
    async with database.transaction(writing=False) as session:
        await session.scalars(READ)
        await session.execute(NOTES.insert().values(note="lost"))
        raise RuntimeError


async def test_a_reading_transaction_that_writes_is_atomic(database: Database) -> None:
    await write(database, "kept", writing=False)
    with pytest.raises(RuntimeError):
        await read_write_and_fail(database)

    assert await kept(database) == ["kept"]


@pytest.mark.parametrize("writing", [False, True])
async def test_a_request_costs_no_needless_round_trips(
    database: Database, monkeypatch: pytest.MonkeyPatch, *, writing: bool
) -> None:
    """Each round trip to the thread counts: cursor, execute, fetch, close, end.

    A writer also begins, but fetches nothing.
    """
    await write(database, "one")
    loop = asyncio.get_running_loop()
    original, trips = loop.call_soon_threadsafe, []

    def count(*arguments: Any, **more: Any) -> asyncio.Handle:  # noqa: ANN401
        trips.append(arguments)
        return original(*arguments, **more)

    monkeypatch.setattr(loop, "call_soon_threadsafe", count)
    if writing:
        await write(database, "two")
    else:
        assert await kept(database) == ["one"]

    assert len(trips) == 5


async def test_a_leaked_transaction_does_not_reach_the_next_request(
    database: Database,
) -> None:
    async with database.engine.connect() as connection:
        first = await driver_of(connection)
        await first.execute("BEGIN IMMEDIATE")
    async with database.engine.connect() as connection:
        again = await driver_of(connection)
        assert (again, again.in_transaction) == (first, False)


async def test_a_cancelled_wait_for_the_lock_does_not_get_it_later(
    database: Database, file: Path
) -> None:
    begun = asyncio.Event()

    @event.listens_for(database.engine.sync_engine, "checkout")
    def tell(*_: object) -> None:
        begun.set()

    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(write(database, "one"))
        await begun.wait()
        waiting.cancel()
        await asyncio.sleep(0)
        other.execute("COMMIT")
        with pytest.raises(asyncio.CancelledError):
            await waiting

    async with database.engine.connect() as connection:
        driver = await driver_of(connection)
        await driver.execute("SELECT 1")  # Runs after everything queued before it.
        assert not driver.in_transaction
