"""The connections to the database, and what goes wrong with them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from my_app.config import Settings
from my_app.core.platform.errors import DomainError

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}


class DatabaseUnavailableError(DomainError):
    """The database cannot be used now; a later attempt may succeed."""

    status = 503
    code = "database_unavailable"
    retry_after_seconds = 1


class Database:
    """The one database of an application. Connects when it is first used."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.reading = sessions(engine)
        self.writing = sessions(engine.execution_options(writing=True))

    @asynccontextmanager
    async def transaction(self, *, writing: bool) -> AsyncIterator[AsyncSession]:
        """Open a session whose work is committed at the end, all of it or none.

        Raises:
            DatabaseUnavailableError: in place of what the driver raised.
        """
        open_session = self.writing if writing else self.reading
        try:
            async with open_session.begin() as session:
                yield session
        except IntegrityError:
            raise
        except (DBAPIError, TimeoutError) as error:
            raise DatabaseUnavailableError("The database is unavailable.") from error

    async def ping(self) -> None:
        """Ask for anything at all."""
        async with self.transaction(writing=False) as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def connect(settings: Settings) -> Database:
    """Make ready for the database that the settings name, without asking it."""
    url = url_of(settings)
    engine = create_async_engine(url, **options(url, settings))
    if url.get_backend_name() == "sqlite":
        begin_sqlite(engine)
    return Database(engine)


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
        "pool_pre_ping": True,
    }
    if url.get_backend_name() == "sqlite":
        wait = settings.database_statement_timeout_seconds
        # Transactions are begun by hand: see `begin_sqlite`.
        return pool | {"connect_args": {"timeout": wait, "isolation_level": None}}
    milliseconds = round(settings.database_statement_timeout_seconds * 1000)
    connect_args = {
        "connect_timeout": round(settings.database_connect_timeout_seconds),
        "options": f"-c statement_timeout={milliseconds}",
    }
    return pool | {"connect_args": connect_args}


def begin_sqlite(engine: AsyncEngine) -> None:
    """Have SQLite do as other databases do.

    A transaction begins when it is said to begin, reads and changes of tables
    included. One that will write takes its lock at the start, where the wait for it is
    bounded: a read that turns into a write behind another writer fails at once.
    """

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _: object) -> None:  # noqa: ANN401 - any driver's
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
