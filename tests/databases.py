"""Real databases for tests: a transaction each, rolled back, or one of their own.

`--database` says which: `sqlite`, `postgres`, or the URL of one whose tables are there
already, made by another version's migrations.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from functools import cache
from itertools import count
from pathlib import Path
from typing import Protocol

import psycopg
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import SecretStr
from sqlalchemy import NullPool, StaticPool, make_url
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    async_sessionmaker,
    create_async_engine,
)

from my_app.config import Settings
from my_app.core.app import FEATURES
from my_app.core.platform.db import database as platform
from my_app.core.platform.db import sqlite
from my_app.core.platform.db.engine import Admission, Database, connect, url_of
from my_app.core.platform.db.revisions import read_revisions
from my_app.core.platform.feature import Feature
from my_app.migrations.commands import migrate

from tests.postgres import Postgres, programs, running_postgres
from tests.servers import PATIENCE

numbers = count()
# Read once: they do not change while the tests run.
shipped_revisions = cache(read_revisions)

# The server of APP_TEST_POSTGRES_URL: the tests themselves see no variable of a
# developer's.
SERVER = pytest.StashKey[str]()


class Databases(Protocol):
    """Where databases of one kind come from, each with every table and no row."""

    def fresh(self) -> AbstractContextManager[str]:
        """Make another, and yield its URL."""

    def empty(self) -> AbstractContextManager[str]:
        """Make one without any table, and yield its URL."""


class SQLiteDatabases:
    """Files, copied from one."""

    def __init__(self, folder: Path, template: Path | None = None) -> None:
        self.folder = folder
        self.template = template or folder / "template.db"
        self.url = f"sqlite:///{self.template}"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Copy the file."""
        copy = self.folder / f"{next(numbers)}.db"
        shutil.copy(self.template, copy)
        yield f"sqlite:///{copy}"

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Name a file that is not there: SQLite makes it."""
        yield f"sqlite:///{self.folder / str(next(numbers))}.db"


class PostgresDatabases:
    """Databases of one server, made from one of them by the server itself."""

    def __init__(self, server: str, template: str) -> None:
        self.server = make_url(server)
        self.template = template
        self.url = self.address(template)

    def address(self, name: str) -> str:
        """Return the URL of one of the databases."""
        return self.server.set(database=name).render_as_string(hide_password=False)

    def execute(self, statement: str) -> None:
        """Run a statement outside of a transaction."""
        server = self.server.render_as_string(hide_password=False)
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database."""
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Delete a database that may be in use."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Copy the database."""
        with self.made(self.template) as url:
            yield url

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Copy the one that PostgreSQL keeps for that."""
        with self.made("template1") as url:
            yield url

    @contextmanager
    def made(self, template: str) -> Iterator[str]:
        """Make a database for as long as it is needed."""
        name = self.create(f"test_{os.getpid()}_{next(numbers)}", template)
        try:
            yield self.address(name)
        finally:
            self.drop(name)


class Joined(Database):
    """A database whose every transaction is a savepoint within the test's own.

    There is one connection, so transactions wait for each other. Tests of what happens
    at once ask for `own_database`.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        # In place of all that `Database` makes, which is more than a test's set-up.
        self.engine = connection.engine
        self.read_limit = self.write_limit = Admission(PATIENCE)
        self.reading = self.writing = async_sessionmaker(
            connection,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
        )

    async def close(self) -> None:
        """Leave that to the fixture."""


def on(
    database: Database, features: Sequence[Feature] = FEATURES
) -> tuple[Feature, ...]:
    """Have features use this database in place of the one that the settings name."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = database
        app.state.revisions = shipped_revisions()
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


def settings_of(url: str) -> Settings:
    """Return settings of the test environment with a database."""
    return Settings(environment="test", database_url=SecretStr(url))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Run a server for tests of PostgreSQL itself."""
    with running_postgres(programs_or_skip()) as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """Run a server for one test, which may kill it and start it again."""
    with running_postgres(programs_or_skip()) as server:
        yield server


def programs_or_skip() -> Path:
    """Return where PostgreSQL's programs are. CI has them; a laptop may not."""
    if found := programs():
        return found
    if "CI" in os.environ:
        pytest.fail("no PostgreSQL found; apt install postgresql")
    pytest.skip("no PostgreSQL found; apt install postgresql")


@pytest.fixture(scope="session")
def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Databases]:
    """Make the tables once, by the migrations."""
    chosen: str = request.config.getoption("--database")
    folder = tmp_path_factory.mktemp("databases")
    if chosen.startswith("sqlite:"):
        yield SQLiteDatabases(folder, Path(str(make_url(chosen).database)))
    elif chosen.startswith("postgresql:"):
        yield PostgresDatabases(chosen, str(make_url(chosen).database))
    elif chosen == "sqlite":
        made = SQLiteDatabases(folder)
        assert migrate(settings_of(made.url)) == 0
        yield made
    else:
        server = request.config.stash.get(SERVER, None)
        server = server or request.getfixturevalue("postgres").url()
        running = PostgresDatabases(server, f"test_{os.getpid()}")
        running.create(running.template)
        assert migrate(settings_of(running.url)) == 0
        yield running
        running.drop(running.template)


class Open:
    """An engine with one connection, which is open from the first test to the last.

    To take it from a pool and give it back would be a third of a test's set-up.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.connection = asyncio.run(self.open())

    async def open(self) -> AsyncConnection:
        """Connect."""
        return await self.engine.connect()

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Lend the connection."""
        return nullcontext(self.connection)

    async def close(self) -> None:
        """Disconnect."""
        await self.connection.close()
        await self.engine.dispose()


@pytest.fixture(scope="session")
def engine(databases: Databases) -> Iterator[AsyncEngine | Open]:
    """Prepare the connections of the tests: for SQLite one that serves them in turn."""
    with databases.fresh() as address:
        url = url_of(settings_of(address))
        if url.get_backend_name() == "postgresql":
            # A connection belongs to one event loop, and each test has its own.
            yield create_async_engine(url, poolclass=NullPool)
            return
        engine = create_async_engine(
            url,
            poolclass=StaticPool,
            connect_args=sqlite.CONNECT_ARGS,
            **sqlite.OPTIONS,
        )
        sqlite.configure(engine, statement_seconds=PATIENCE)
        opened = Open(engine)
        yield opened
        asyncio.run(opened.close())


@pytest.fixture
async def database(engine: AsyncEngine | Open) -> AsyncIterator[Database]:
    """Open the test's transaction, and roll back all that was done in it."""
    async with engine.connect() as connection:
        assert connection.sync_connection
        # The database hears of it with the first statement, so nothing is awaited.
        connection.sync_connection.begin()
        yield Joined(connection)
        await connection.rollback()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """Make a database for one test, for which commits are commits."""
    with databases.fresh() as url:
        yield url


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    """Make a database for one test, without any table."""
    with databases.empty() as url:
        yield url


@pytest.fixture
async def own_database(database_url: str) -> AsyncIterator[Database]:
    """Open a database of the test's own, as the service does."""
    database = connect(settings_of(database_url))
    yield database
    await database.close()
