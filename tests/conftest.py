"""What every test may ask for: the real application, through a client, with flags."""

import gc
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from hypothesis import settings as profiles

from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.db.engine import Database
from my_app.core.platform.observability.logs import configure_logging

from tests.databases import (
    SERVER,
    database,
    database_url,
    databases,
    empty_url,
    engine,
    on,
    own_database,
    own_postgres,
    postgres,
)
from tests.postgres import programs

NOT_CHECKED = 75

__all__ = [
    "database",
    "database_url",
    "databases",
    "empty_url",
    "engine",
    "own_database",
    "own_postgres",
    "postgres",
]

# The watch loop answers sooner with fewer examples; every other run has them all. No
# example has a time limit: a busy machine is no fault of the service.
profiles.register_profile("default", deadline=None)
profiles.register_profile("quick", max_examples=5, deadline=None)
profiles.load_profile("default")


class MakeClient(Protocol):
    """Opens a client of an application that is built for one test."""

    def __call__(self, app: FastAPI) -> AbstractAsyncContextManager[AsyncClient]:
        """Start the application, and stop it at the end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a whole run choose its flags and its database."""
    parser.addoption(
        "--flags",
        choices=("environment", "off", "on"),
        default="environment",
        help="state of every feature flag (default: as the environment says, else off)",
    )
    parser.addoption(
        "--database",
        default="sqlite",
        metavar="sqlite|postgres|URL",
        help="sqlite; postgres: that of APP_TEST_POSTGRES_URL, or one started for the "
        "run; URL: one whose tables are there already",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Keep what is said of the tests in the environment, before that is emptied."""
    if server := os.environ.get("APP_TEST_POSTGRES_URL"):
        config.stash[SERVER] = server
    elif config.getoption("--database") == "postgres" and not programs():
        # As `make check` has it for what could not be checked.
        pytest.exit("No PostgreSQL found; type: apt install postgresql", NOT_CHECKED)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test in both states of a flag whose name, in lower case, it asks for."""
    for name in Flags.model_fields:
        if name.lower() in metafunc.fixturenames:
            metafunc.parametrize(name.lower(), [False, True], ids=["off", "on"])


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the run: all imports."""
    gc.collect()
    gc.freeze()


def pytest_report_header(config: pytest.Config) -> str:
    """Say with which flags this run tests."""
    states = run_flags(config).enabled()
    on = [name for name, state in states.items() if state]
    return f"flags on: {', '.join(on) or 'none'}"


def run_flags(config: pytest.Config) -> Flags:
    """Return the flags that a run was asked for."""
    chosen = config.getoption("--flags")
    if chosen == "environment":
        return Flags()
    return Flags.model_validate(dict.fromkeys(Flags.model_fields, chosen == "on"))


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> Iterator[None]:
    """Keep a developer's own APP_ variables out of the tests; flags are let in."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("APP_", "SENTRY_", "OTEL_", "PROMETHEUS_")):
                patch.delenv(name)
        configure_logging(Settings(environment="test"))
        yield


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests as the server runs the application."""
    return "asyncio"


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Settings of the test environment."""
    return Settings(environment="test")


@pytest.fixture
def flags(request: pytest.FixtureRequest) -> Flags:
    """Flags as the run chose them, and as the test asked for one of them."""
    states = run_flags(request.config).enabled()
    for name in states:
        if name.lower() in request.fixturenames:
            states[name] = request.getfixturevalue(name.lower())
    return Flags.model_validate(states)


@pytest.fixture
def app(settings: Settings, flags: Flags, database: Database) -> FastAPI:
    """Build the service as it ships, on the test's own transaction."""
    return create_app(settings, flags, on(database))


@pytest.fixture
def make_client() -> MakeClient:
    """Open a client of any application, started and stopped as a server would."""

    @asynccontextmanager
    async def open_client(app: FastAPI) -> AsyncIterator[AsyncClient]:
        transport = ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            yield client

    return open_client


@pytest.fixture
async def client(app: FastAPI, make_client: MakeClient) -> AsyncIterator[AsyncClient]:
    """Ask the service as it ships."""
    async with make_client(app) as client:
        yield client
