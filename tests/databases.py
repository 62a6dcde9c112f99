"""A real database for tests: each in a transaction that is rolled back."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import StaticPool
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from my_app.core.app import FEATURES
from my_app.core.platform import database as platform
from my_app.core.platform.engine import Database, begin_sqlite
from my_app.core.platform.feature import Feature
from my_app.core.platform.tables import load_tables


class Joined(Database):
    """A database whose every transaction is a savepoint within the test's own.

    There is one connection, so transactions wait for each other. Tests of what happens
    at once ask for `own_database`.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self.engine = connection.engine
        self.reading = self.writing = async_sessionmaker(
            connection,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
        )
        self.turn = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self, *, writing: bool) -> AsyncIterator[AsyncSession]:
        """Wait for the transaction before."""
        async with self.turn, super().transaction(writing=writing) as session:
            yield session

    async def close(self) -> None:
        """Leave that to the fixture."""


def on(
    database: Database, features: Sequence[Feature] = FEATURES
) -> tuple[Feature, ...]:
    """Have features use this database in place of the one that the settings name."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = database
        yield

    replaced = Feature(
        name=platform.feature.name,
        router=APIRouter(),
        lifespan=lifespan,
        checks=platform.feature.checks,
    )
    return tuple(
        replaced if feature is platform.feature else feature for feature in features
    )


@pytest.fixture(scope="session")
def engine() -> Iterator[AsyncEngine]:
    """Make the tables once, in one connection that every test uses in turn."""
    engine = create_async_engine(
        "sqlite+aiosqlite://",
        poolclass=StaticPool,
        connect_args={"isolation_level": None},
    )
    begin_sqlite(engine)

    async def create() -> None:
        async with engine.begin() as connection:
            await connection.run_sync(load_tables().create_all)

    asyncio.run(create())
    yield engine
    asyncio.run(engine.dispose())


@pytest.fixture
async def database(engine: AsyncEngine) -> AsyncIterator[Database]:
    """Open the test's transaction, and roll back all that was done in it."""
    async with engine.connect() as connection:
        outer = await connection.begin()
        yield Joined(connection)
        await outer.rollback()
