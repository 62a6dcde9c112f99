"""PostgreSQL is down, dies or comes back: the service stays up and recovers."""

import asyncio

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from killed_postgres import MortalPostgres
from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.db import database as platform
from my_app.migrations.commands import migrate

from tests.conftest import MakeClient
from tests.core.platform.notes import notes
from tests.plugins.databases import settings_of
from tests.servers import PATIENCE

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(own_postgres: MortalPostgres) -> Settings:
    """Use the test's own server, and do not cache readiness."""
    changed = {"readiness_cache_seconds": 0, "database_connect_timeout_seconds": 1}
    settings = settings_of(own_postgres.url())
    assert migrate(settings) == 0
    return settings.model_copy(update=changed)


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings, Flags(), [platform.feature, notes])


async def until_ready(client: AsyncClient) -> None:
    """Poll until the service is ready."""
    async with asyncio.timeout(PATIENCE):
        ready = False
        while not ready:
            ready = (await client.get("/readyz")).status_code == 200
            await asyncio.sleep(0.01)


async def test_the_service_starts_before_its_database(
    own_postgres: MortalPostgres, app: FastAPI, make_client: MakeClient
) -> None:
    own_postgres.kill()
    async with make_client(app) as client:
        waiting = await client.get("/readyz")
        refused = await client.get("/notes")
        alive = await client.get("/healthz")
        own_postgres.start()
        await until_ready(client)

    assert waiting.json()["errors"][0] == {
        "pointer": "/checks/database.reachable",
        "detail": "The database is unavailable. Try again later.",
    }
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert alive.status_code == 200
