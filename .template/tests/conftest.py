"""Fixtures of the template's proofs."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from containers import base_images
from killed_postgres import own_postgres
from my_app.core.platform.db.engine import Database, connect
from my_app.migrations.commands import migrate
from project_image import engine, image, project

from tests.conftest import anyio_backend, make_client, pytest_runtest_makereport
from tests.plugins.databases import (
    PostgresDatabases,
    SQLiteDatabases,
    postgres,
    settings_of,
)
from tests.postgres import Postgres

__all__ = [
    "anyio_backend",
    "engine",
    "image",
    "make_client",
    "own_postgres",
    "postgres",
    "project",
    "pytest_runtest_makereport",
]

os.environ |= base_images()


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Create a database of each kind without tables."""
    if request.param == "sqlite":
        databases: SQLiteDatabases | PostgresDatabases = SQLiteDatabases(tmp_path)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        databases = PostgresDatabases(server.url(), "template1")
    with databases.empty() as url:
        yield url


@pytest.fixture
async def own_database(empty_url: str) -> AsyncIterator[Database]:
    """Open a database of each kind with all tables, as the service does."""
    assert migrate(settings_of(empty_url)) == 0
    database = connect(settings_of(empty_url))
    yield database
    await database.close()
