"""Two processes on one database create once per key, and keys do not pile up."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from httpx2 import AsyncClient
from sqlalchemy import select

from listing import every_invoice
from my_app.core.platform.db.engine import connect
from my_app.core.platform.idempotency import Claim, fingerprint
from my_app.core.platform.tables import Keys, table
from my_app.migrations.commands import migrate

from tests.core.billing.test_invoice_endpoints import order
from tests.plugins.databases import PostgresDatabases, settings_of
from tests.servers import serving

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Create a database of each kind with all tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/shared.db"
        assert migrate(settings_of(url)) == 0
        yield url
        return
    server = request.getfixturevalue("postgres").url()
    with PostgresDatabases(server, "template1").empty() as url:
        assert migrate(settings_of(url)) == 0
        yield url


async def test_two_processes_create_one_invoice_per_key(
    database_url: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        clients = []
        for name in ("one", "two"):
            _, port = stack.enter_context(
                serving(tmp_path / name, APP_DATABASE_URL=database_url)
            )
            address = f"http://127.0.0.1:{port}"
            clients.append(
                await stack.enter_async_context(AsyncClient(base_url=address))
            )
        orders = [
            order(client, f"key-{number}")
            for number in range(100)
            for client in clients
        ]
        answers = await asyncio.gather(*orders)
        found = await every_invoice(clients[0])

    assert {answer.status_code for answer in answers} == {201}
    replayed = ["Idempotency-Replayed" in answer.headers for answer in answers]
    assert replayed.count(True) == replayed.count(False) == 100
    assert [one.content for one in answers[::2]] == [
        two.content for two in answers[1::2]
    ]
    assert sorted(found) == sorted({answer.json()["id"] for answer in answers})


async def test_keys_never_pile_up(database_url: str) -> None:
    """After ten lifetimes little more than the keys of one remain."""
    per_lifetime, lifetime = 100, timedelta(hours=24)
    database = connect(settings_of(database_url))
    now = datetime.now(UTC)
    for number in range(10 * per_lifetime):
        at = now + lifetime / per_lifetime * number
        claim = Claim(key=str(uuid4()), fingerprint=fingerprint(number), made_at=at)
        async with database.transaction(writing=True) as session:
            assert await Keys(session).claim(claim, lifetime=lifetime) is None
    async with database.transaction(writing=False) as session:
        left = len((await session.scalars(select(table.c.key))).all())
    await database.close()

    assert left <= 3 * per_lifetime
