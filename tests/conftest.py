"""Fixtures for every test: the real application, a client, flags."""

import gc
import os
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Protocol

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from hypothesis import settings as profiles

from my_app.config import UNDECLARED, Flags, Settings
from my_app.core.app import ServiceSettings, create_app
from my_app.core.platform.feature import Feature
from my_app.core.platform.observability.logs import (
    configure_logging,
)
from my_app.environment import (
    EnvironmentVariablesError,
    build,
    misspelt,
)

# Of two fixtures with one name, that of the later plugin counts.
PLUGINS = sorted(Path(__file__).parent.glob("plugins/*.py"))
pytest_plugins = ["tests.fixtures", *(f"tests.plugins.{it.stem}" for it in PLUGINS)]

# Hypothesis generates few examples where speed matters, and all of them in a run that
# includes the slow tests. There is no deadline: a busy machine is not a bug.
profiles.register_profile("thorough", deadline=None)
profiles.register_profile("default", max_examples=10, deadline=None)
profiles.register_profile("quick", max_examples=5, deadline=None)
profiles.load_profile("default")


class MakeClient(Protocol):
    """Opens a client for an application built for one test."""

    def __call__(self, app: FastAPI) -> AbstractAsyncContextManager[AsyncClient]:
        """Start the application, and stop it afterwards."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add an option for the flags of a run."""
    parser.addoption(
        "--flags",
        choices=("environment", "off", "on"),
        default="environment",
        help="state of every feature flag (default: as in the environment, else off)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose how thorough the run is; read the environment before it is cleared."""
    problems = [*misspelt(os.environ, Flags)]
    build(Flags, None, problems)
    if problems:
        raise pytest.UsageError(str(EnvironmentVariablesError(problems)))
    if config.getoption("markexpr") != "not slow":
        profiles.load_profile("thorough")
    coverage = config.pluginmanager.getplugin("_cov")
    if coverage and (
        config.args != config.getini("testpaths") or config.getoption("keyword")
    ):
        # Some of the tests cover little, which says nothing of the rest.
        coverage.options.cov_fail_under = 0
        coverage.options.cov_report = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test in both states of each flag that it requests in lower case."""
    for name in metafunc.fixturenames:
        if name.upper() in Flags.model_fields:
            metafunc.parametrize(name, [False, True], ids=["off", "on"])
        elif name.startswith("enable_"):
            pytest.fail(UNDECLARED.format(name=name.upper()), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[
    None, pytest.TestReport, pytest.TestReport
]:
    """Give all skipped tests one place, so that each reason is one line at the end."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (__file__, 1, report.longrepr[2])
    return report


def pytest_collection_finish() -> None:
    """Exclude all imported objects from garbage collection: they stay anyway."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Report the flags of the run."""
    states = run_flags(config).enabled()
    on = [name for name, state in states.items() if state]
    terminalreporter.write_line(f"flags on: {', '.join(on) or 'none'}")


@cache
def run_flags(config: pytest.Config) -> Flags:
    """Return the flags of the run."""
    chosen = config.getoption("--flags")
    if chosen == "environment":
        return Flags()
    return Flags.model_validate(dict.fromkeys(Flags.model_fields, chosen == "on"))


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> Iterator[None]:
    """Hide a developer's own settings from the tests, but not their flags."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("APP_", "SENTRY_", "OTEL_", "PROMETHEUS_")):
                patch.delenv(name)
        configure_logging(Settings(environment="test"))
        yield


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests with asyncio, as the server does."""
    return "asyncio"


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Settings of the test environment."""
    return ServiceSettings(environment="test")


@pytest.fixture
def flags(request: pytest.FixtureRequest) -> Flags:
    """Flags of the run, overridden by those that the test requests."""
    flags = run_flags(request.config)
    states = {
        name: request.getfixturevalue(name.lower())
        for name in flags.enabled()
        if name.lower() in request.fixturenames
    }
    return flags.model_copy(update=states) if states else flags


@pytest.fixture
def app(settings: Settings, flags: Flags, features: Sequence[Feature]) -> FastAPI:
    """Build the real service."""
    return create_app(settings, flags, features)


@pytest.fixture
def make_client() -> MakeClient:
    """Open a client for any application, started and stopped as by a server."""

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
    """Open a client for the real service."""
    async with make_client(app) as client:
        yield client
