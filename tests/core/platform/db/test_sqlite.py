"""SQLite's transactions: they begin as late as possible, and end in any case."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from my_app.core.platform.db.engine import Database, connect

from tests.core.platform.notes import NOTES, create_notes
from tests.databases import settings_of


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


async def driver_of(connection: AsyncConnection) -> Any:  # noqa: ANN401 - aiosqlite's
    return (await connection.get_raw_connection()).driver_connection


async def write(database: Database, *, writing: bool) -> None:
    async with database.transaction(writing=writing) as session:
        await session.execute(NOTES.insert().values(note="one"))


async def test_a_reading_transaction_may_write(database: Database) -> None:
    await write(database, writing=False)

    async with database.transaction(writing=False) as session:
        assert [*await session.scalars(NOTES.select())] == ["one"]


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
        waiting = asyncio.create_task(write(database, writing=True))
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
