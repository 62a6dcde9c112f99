"""The connections to the database, and what goes wrong with them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import URL, String, column, inspect, make_url, select, table, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from ....config import Settings
from . import sqlite
from .errors import BUSY, DatabaseBusyError, outage

# Where Alembic keeps its own word, and where `migrations/history.py` keeps the rest.
REVISIONS = (("version_num", "alembic_version"), ("revision", "migration_history"))

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",  # as some hosts write it
}


class Database:
    """The one database of an application. Connects when it is first used."""

    def __init__(self, engine: AsyncEngine, *, wait_seconds: float) -> None:
        self.engine = engine
        self.reading = sessions(engine)
        self.writing = sessions(engine.execution_options(writing=True))
        self.read_turn = self.write_turn = Turns(wait_seconds, at_once=None)
        if engine.dialect.name == "sqlite":
            # It lets one write at a time. Who waits here is woken when it is over; in
            # SQLite it would hold a connection and look every now and then. Two do:
            # one takes over while the event loop is still busy with the one before.
            self.write_turn = Turns(wait_seconds, at_once=3)

    @asynccontextmanager
    async def transaction(self, *, writing: bool) -> AsyncIterator[AsyncSession]:
        """Open a session whose work is committed at the end, all of it or none.

        Raises:
            DatabaseUnavailableError: in place of what the driver raised, where that is
                a sign of an outage.
        """
        turn = self.write_turn if writing else self.read_turn
        open_session = self.writing if writing else self.reading
        try:
            async with turn, open_session.begin() as session:
                yield session
        except SQLAlchemyError as error:
            if unavailable := outage(error):
                raise unavailable from error
            raise

    async def ping(self) -> None:
        """Ask for anything at all."""
        async with self.transaction(writing=False) as session:
            await session.execute(text("SELECT 1"))

    async def revisions(self) -> tuple[set[str], set[str]]:
        """Return the database's current revisions, and all that it is made of."""
        async with self.transaction(writing=False) as session:
            connection = await session.connection()
            tables = await connection.run_sync(lambda it: inspect(it).get_table_names())
            found: list[set[str]] = []
            for name, of in REVISIONS:
                query = select(column(name, String)).select_from(table(of))
                found.append({*await session.scalars(query)} if of in tables else set())
        current, history = found
        return current, history

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


class Turns:
    """Lets so many at once pass, in the order in which they came; None: all."""

    def __init__(self, wait_seconds: float, *, at_once: int | None = 1) -> None:
        self.wait_seconds = wait_seconds
        self.lock = None if at_once is None else asyncio.Semaphore(at_once)

    async def __aenter__(self) -> None:
        if self.lock is None:
            return
        try:
            async with asyncio.timeout(self.wait_seconds):
                await self.lock.acquire()
        except TimeoutError:
            raise DatabaseBusyError(BUSY) from None

    async def __aexit__(self, *_: object) -> None:
        if self.lock is not None:
            self.lock.release()


def connect(settings: Settings) -> Database:
    """Make ready for the database that the settings name, without asking it."""
    url = url_of(settings)
    engine = create_async_engine(url, hide_parameters=True, **options(url, settings))
    if url.get_backend_name() == "sqlite":
        sqlite.prepare(
            engine, statement_seconds=settings.database_statement_timeout_seconds
        )
    wait = settings.database_connect_timeout_seconds
    return Database(engine, wait_seconds=wait)


def sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Open sessions whose objects may be read after the commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


def url_of(settings: Settings) -> URL:
    """Name the driver of the database that the settings name."""
    url = make_url(settings.database_url.get_secret_value())
    return url.set(drivername=DRIVERS[url.get_backend_name()])


def options(url: URL, settings: Settings) -> dict[str, Any]:
    """Bound every wait: for a connection, for a lock, for a statement."""
    pool = {
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.database_connect_timeout_seconds,
    }
    if url.get_backend_name() == "sqlite":
        wait = settings.database_statement_timeout_seconds
        connect_args = sqlite.CONNECT_ARGS | {"timeout": wait}
        return pool | sqlite.OPTIONS | {"connect_args": connect_args}
    connecting = settings.database_connect_timeout_seconds
    statement = round(settings.database_statement_timeout_seconds * 1000)
    connect_args = {
        "connect_timeout": max(round(connecting), 1),
        # A server that has vanished answers nothing, not even that it is gone.
        "tcp_user_timeout": round(connecting * 1000),
        "options": f"-c statement_timeout={statement}",
    }
    return pool | {"connect_args": connect_args}
