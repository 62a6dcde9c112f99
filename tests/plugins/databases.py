"""Real databases for tests: a transaction that is rolled back, or a database each.

`--database` selects `sqlite`, `postgres`, or the URL of an existing database, whose
tables were made by another version's migrations.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from functools import cache
from itertools import count
from pathlib import Path

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

from my_app.core.app import FEATURES
from my_app.core.platform.db import database as platform
from my_app.core.platform.db import sqlite
from my_app.core.platform.db.database import DatabaseSettings
from my_app.core.platform.db.engine import (
    Admission,
    Database,
    connect,
    url_of,
)
from my_app.core.platform.db.revisions import read_revisions
from my_app.core.platform.feature import Feature
from my_app.migrations.commands import migrate

from tests.postgres import Postgres, programs, running_postgres
from tests.servers import PATIENCE

numbers = count()
# Read once: they do not change during a run.
shipped_revisions = cache(read_revisions)

# The value of APP_TEST_POSTGRES_URL, which is hidden from the tests themselves.
SERVER = pytest.StashKey[str]()
# The exit code by which `make check` knows that nothing was checked.
NOT_CHECKED = 75


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add an option for the database of a run."""
    parser.addoption(
        "--database",
        default="sqlite",
        metavar="sqlite|postgres|URL",
        help="sqlite; postgres: the server of APP_TEST_POSTGRES_URL, or one started "
        "for the run; URL: an existing database with all tables. The last two run "
        "only the tests that store something",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read the environment before it is cleared."""
    if server := os.environ.get("APP_TEST_POSTGRES_URL"):
        config.stash[SERVER] = server
    elif config.getoption("--database") == "postgres" and not programs():
        pytest.exit("No PostgreSQL found; type: apt install postgresql", NOT_CHECKED)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Run only the tests of stored data if the database is not the default."""
    if config.getoption("--database") == "sqlite":
        return
    stored = [
        item for item in items if "databases" in getattr(item, "fixturenames", ())
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in stored])
    items[:] = stored


class SQLiteDatabases:
    """Files, copied from a template."""

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
        """Name a missing file: SQLite creates it."""
        yield f"sqlite:///{self.folder / str(next(numbers))}.db"


class PostgresDatabases:
    """Databases on one server, copied from a template by the server."""

    def __init__(self, server: str, template: str) -> None:
        self.server = make_url(server)
        self.template = template
        self.url = self.address(template)

    def address(self, name: str) -> str:
        """Return the URL of one of the databases."""
        return self.server.set(database=name).render_as_string(hide_password=False)

    def execute(self, statement: str) -> None:
        """Run a statement outside a transaction."""
        server = self.server.render_as_string(hide_password=False)
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, name: str, template: str = "template1") -> str:
        """Create a database."""
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Drop a database that may be in use."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Copy the template."""
        with self.made(self.template) as url:
            yield url

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Copy PostgreSQL's own empty template."""
        with self.made("template1") as url:
            yield url

    @contextmanager
    def made(self, template: str) -> Iterator[str]:
        """Create a database and drop it afterwards."""
        name = self.create(f"test_{os.getpid()}_{next(numbers)}", template)
        try:
            yield self.address(name)
        finally:
            self.drop(name)


type Databases = SQLiteDatabases | PostgresDatabases


class Joined(Database):
    """A database whose transactions are savepoints within the test's transaction.

    They share one connection and wait for each other. Tests of concurrency use
    `own_database`.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        # Less than `Database.__init__`, which takes longer than the rest of the set-up.
        self.engine = connection.engine
        self.read_limit = self.write_limit = Admission(PATIENCE)
        self.reading = self.writing = self.probing = async_sessionmaker(
            connection,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
        )

    async def close(self) -> None:
        """Leave that to the fixture."""


def on(
    database: Database, features: Sequence[Feature] = FEATURES
) -> tuple[Feature, ...]:
    """Let features use this database instead of the configured one."""

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


def settings_of(url: str) -> DatabaseSettings:
    """Return test settings for a database."""
    return DatabaseSettings(environment="test", database_url=SecretStr(url))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Run a server for tests of PostgreSQL itself."""
    with running_postgres(programs_or_skip()) as server:
        yield server


def programs_or_skip() -> Path:
    """Return the folder of PostgreSQL's programs; skip if missing, fail in CI."""
    if found := programs():
        return found
    if "CI" in os.environ:
        pytest.fail("no PostgreSQL found; apt install postgresql")
    pytest.skip("no PostgreSQL found; apt install postgresql")


@pytest.fixture(scope="session")
def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Databases]:
    """Create the tables once per run, with the migrations."""
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
    """An engine whose only connection stays open for the whole run.

    Checking it out of a pool and in again would take a third of a test's set-up.
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
    """Create the engine of the tests; on SQLite they share one connection."""
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
    """Open the test's transaction and roll it back afterwards."""
    async with engine.connect() as connection:
        assert connection.sync_connection
        if connection.invalidated:  # A test before was cut off in a statement.
            await connection.begin()
        else:  # Only the first statement reaches the database: nothing to await.
            connection.sync_connection.begin()
        yield Joined(connection)
        await connection.rollback()


@pytest.fixture
def features(database: Database) -> Sequence[Feature]:
    """Let the service use the test's own transaction."""
    return on(database)


@pytest.fixture
def server_variables(database_url: str) -> dict[str, str]:
    """Let a server use a database of its own."""
    return {"APP_DATABASE_URL": database_url}


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """Create a database for one test, in which commits are real."""
    with databases.fresh() as url:
        yield url


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    """Create a database without tables for one test."""
    with databases.empty() as url:
        yield url


@pytest.fixture
async def own_database(database_url: str) -> AsyncIterator[Database]:
    """Open the test's own database as the service does."""
    database = connect(settings_of(database_url))
    yield database
    await database.close()
