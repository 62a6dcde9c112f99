"""The database engine: connections, transactions and limits on every wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    String,
    column,
    inspect,
    make_url,
    select,
    table,
    text,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from . import sqlite
from .database import DatabaseSettings
from .errors import BUSY, OUTDATED, DatabaseBusyError, DatabaseOutdatedError, to_outage
from .tables import Base

# Alembic's own table holds the current revision, ours (`migrations/history.py`) all.
REVISIONS = (("version_num", "alembic_version"), ("revision", "migration_history"))

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",  # some hosting providers write it this way
}


class Database:
    """The database of an application. Connects on first use."""

    def __init__(
        self, engine: AsyncEngine, probe: AsyncEngine, *, wait_seconds: float
    ) -> None:
        self.engine = engine
        # With a connection of its own, because a busy process is still ready: if all of
        # them left the load balancer together, nobody would be served.
        self.probe = probe
        self.probing = sessions(probe)
        self.reading = sessions(engine)
        self.writing = sessions(engine.execution_options(writing=True))
        self.read_limit = self.write_limit = Admission(wait_seconds, at_once=None)
        if engine.dialect.name == "sqlite":
            # SQLite allows one writer at a time; others would hold a connection and
            # poll. Two more are admitted, so that the next writer takes over while the
            # event loop finishes the previous one.
            self.write_limit = Admission(wait_seconds, at_once=3)

    @asynccontextmanager
    async def transaction(
        self, *, writing: bool, probing: bool = False
    ) -> AsyncIterator[AsyncSession]:
        """Open a session that commits at the end, or rolls back on an exception.

        Raises:
            DatabaseUnavailableError: the driver's error indicates an outage, or the
                database lacks what this build needs.
        """
        limit = self.write_limit if writing else self.read_limit
        reading = self.probing if probing else self.reading
        open_session = self.writing if writing else reading
        try:
            async with limit, open_session.begin() as session:
                yield session
        except SQLAlchemyError as error:
            if unavailable := to_outage(error):
                raise unavailable from error
            if await self.is_outdated():
                raise DatabaseOutdatedError(OUTDATED) from error
            raise

    async def ping(self) -> None:
        """Check connectivity (`SELECT 1`)."""
        async with self.transaction(writing=False, probing=True) as session:
            await session.execute(text("SELECT 1"))

    async def revisions(self) -> tuple[set[str], set[str]]:
        """Return the database's current revisions and all those applied so far."""
        async with self.transaction(writing=False, probing=True) as session:
            connection = await session.connection()
            tables = await connection.run_sync(lambda it: inspect(it).get_table_names())
            found: list[set[str]] = []
            for name, of in REVISIONS:
                query = select(column(name, String)).select_from(table(of))
                found.append({*await session.scalars(query)} if of in tables else set())
        current, history = found
        return current, history

    async def is_outdated(self) -> bool:
        """Return whether a table or column of a model is missing in the database."""
        async with self.transaction(writing=False) as session:
            connection = await session.connection()
            return await connection.run_sync(
                lambda it: any(
                    {*table.columns.keys()} - columns_of(it, table.name)
                    for table in Base.metadata.tables.values()
                )
            )

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        await self.probe.dispose()


class Admission:
    """Admits at most `at_once` callers, first come, first served; None: no limit."""

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


def columns_of(connection: Connection, table: str) -> set[str]:
    """Return the names of a table's columns; none if there is no such table."""
    found = inspect(connection)
    columns = found.get_columns(table) if found.has_table(table) else []
    return {column["name"] for column in columns}


def connect(settings: DatabaseSettings) -> Database:
    """Create the database from the settings. Does not connect yet."""
    url = url_of(settings)
    own = options(url, settings)
    # Checks that run at the same time take turns.
    single = {"pool_size": 1, "pool_timeout": settings.readiness_timeout_seconds}
    engine, probe = (
        create_async_engine(url, hide_parameters=True, **each)
        for each in (own, own | single)
    )
    if url.get_backend_name() == "sqlite":
        seconds = settings.database_statement_timeout_seconds
        for each in (engine, probe):
            sqlite.configure(each, statement_seconds=seconds)
    wait = settings.database_connect_timeout_seconds
    return Database(engine, probe, wait_seconds=wait)


def sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Create sessions whose objects stay readable after the commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


def url_of(settings: DatabaseSettings) -> URL:
    """Return the database URL of the settings, with its driver."""
    url = make_url(settings.database_url.get_secret_value())
    return url.set(drivername=DRIVERS[url.get_backend_name()])


def options(url: URL, settings: DatabaseSettings) -> dict[str, Any]:
    """Limit every wait: for a connection, for a lock, for a statement."""
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
        # A host that vanished does not even refuse the connection.
        "tcp_user_timeout": round(connecting * 1000),
        "options": f"-c statement_timeout={statement}",
    }
    return pool | {"connect_args": connect_args}
