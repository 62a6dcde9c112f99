"""The desk's database: SQLite, or PostgreSQL by address."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

_MIGRATIONS = Path(__file__).parent / "migrations"
# Writers take turns, so that what they decided by still holds; 7280 is arbitrary.
_LOCK = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "SELECT pg_advisory_xact_lock(7280)",
}


class Store:
    """The database, which is migrated when it is opened."""

    def __init__(self, address: str) -> None:
        self._engine = create_engine(address, pool_pre_ping=True, pool_size=20)
        self._dialect = self._engine.dialect.name
        if self._dialect == "sqlite":
            event.listen(self._engine, "connect", _share)
        settings = Config()
        settings.set_main_option("script_location", str(_MIGRATIONS))
        with self.writing() as connection:
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that excludes other writers."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql(_LOCK[self._dialect])
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _share(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The web process and the runner use one file. Without a level Python's module
    # begins no transaction of its own, which would be one that only reads at first.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 10000")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
