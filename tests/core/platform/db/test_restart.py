"""PostgreSQL is down, dies or comes back: the service stays up and recovers."""

import asyncio
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.db import database as platform
from my_app.migrations.commands import migrate

from tests.conftest import MakeClient
from tests.core.platform.notes import create_notes, notes
from tests.databases import settings_of
from tests.postgres import Postgres
from tests.servers import PATIENCE

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(own_postgres: Postgres) -> Settings:
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
    own_postgres: Postgres, app: FastAPI, make_client: MakeClient
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


class Writers:
    """Clients that keep writing notes and remember which were acknowledged."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client
        self.acknowledged: set[str] = set()
        self.refused: list[int] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def write(self, writer: int) -> None:
        """Write until cancelled."""
        number = 0
        while True:
            note = f"{writer}-{number}"
            response = await self.client.post(f"/notes/{note}")
            if response.status_code == 200:
                self.acknowledged.add(note)
            else:
                self.refused.append(response.status_code)
                assert response.headers["retry-after"] == "1"
                assert response.json()["code"] == "database_unavailable"
                await asyncio.sleep(0.01)
            number += 1

    async def progress(self, count: int = 50) -> None:
        """Wait until more notes are acknowledged."""
        goal = len(self.acknowledged) + count
        await self.until(lambda: len(self.acknowledged) >= goal)

    async def refusal(self) -> None:
        """Wait until a note is refused."""
        await self.until(lambda: bool(self.refused))

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait for something to happen while everybody keeps writing."""
        async with asyncio.timeout(PATIENCE):
            while not happened():
                await asyncio.sleep(0.01)
                assert not any(task.done() for task in self.tasks)

    def __enter__(self) -> "Writers":
        self.tasks = [asyncio.create_task(self.write(number)) for number in range(8)]
        return self

    def __exit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()


async def test_acknowledged_writes_survive_a_kill_under_load(
    own_postgres: Postgres, app: FastAPI, make_client: MakeClient
) -> None:
    async with make_client(app) as client:
        await create_notes(app.state.database)
        with Writers(client) as writers:
            await writers.progress()
            own_postgres.kill()
            await writers.refusal()
            own_postgres.start()
            await writers.progress()
        await asyncio.gather(*writers.tasks, return_exceptions=True)
        kept = (await client.get("/notes")).json()

    assert set(writers.refused) == {503}
    assert writers.acknowledged <= set(kept)
    assert len(kept) == len(set(kept))
