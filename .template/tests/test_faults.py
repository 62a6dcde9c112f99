"""Faults under load: acknowledged orders exist exactly once, others get a 503."""

import asyncio
import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest
from httpx2 import URL, AsyncClient, Response
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from customers import Customers
from killed_postgres import MortalPostgres
from listing import every_invoice
from my_app.config import Flags
from my_app.core.app import create_app
from my_app.migrations.commands import migrate

from tests.conftest import MakeClient
from tests.plugins.databases import settings_of
from tests.servers import serving

pytestmark = pytest.mark.anyio

KILLS = 20


def assert_unavailable(response: Response) -> None:
    """Check that the response tells the client to retry."""
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "1"
    assert response.json()["code"].startswith("database_")


async def assert_nothing_lost_or_doubled(customers: Customers) -> None:
    """Compare the acknowledged orders with the stored ones."""
    found = await every_invoice(customers.client)

    assert sorted(found) == sorted(customers.acknowledged.values())
    assert len(set(found)) == len(found)


async def test_no_invoice_is_lost_or_doubled_when_postgres_is_killed(
    own_postgres: MortalPostgres, tmp_path: Path
) -> None:
    """`kill -9` the database under load, repeatedly; the service stays up."""
    url = own_postgres.url()
    assert migrate(settings_of(url)) == 0
    with serving(tmp_path / "output", "--workers", "2", APP_DATABASE_URL=url) as (
        program,
        port,
    ):
        async with AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            customers = Customers(client)
            for _ in range(KILLS):
                await customers.progress()
                await asyncio.sleep(random.random() / 20)  # noqa: S311 - any moment
                await asyncio.to_thread(own_postgres.kill)
                await customers.trouble()
                await asyncio.to_thread(own_postgres.start)
            await customers.progress()
            await customers.leave()
            await assert_nothing_lost_or_doubled(customers)

    for response in customers.refused:
        assert_unavailable(response)
    assert customers.cut_off == 0
    assert len(customers.refused) >= KILLS
    assert "unhandled exception" not in program.said()


async def test_no_invoice_is_lost_or_doubled_when_the_service_is_killed(
    tmp_path: Path,
) -> None:
    """`kill -9` the service under load; customers continue with the next one."""
    url = f"sqlite:///{tmp_path / 'invoices.db'}"
    assert migrate(settings_of(url)) == 0
    async with AsyncClient() as client:
        customers = Customers(client)
        for number in range(KILLS // 4):
            output = tmp_path / str(number)
            with serving(output, APP_DATABASE_URL=url) as (program, port):
                client.base_url = URL(f"http://127.0.0.1:{port}")
                await customers.progress()
                await asyncio.sleep(random.random() / 20)  # noqa: S311 - any moment
                os.killpg(program.process.pid, signal.SIGKILL)
                await customers.trouble()
        with serving(tmp_path / "last", APP_DATABASE_URL=url) as (_, port):
            client.base_url = URL(f"http://127.0.0.1:{port}")
            await customers.progress()
            await customers.leave()
            await assert_nothing_lost_or_doubled(customers)

    assert customers.cut_off >= KILLS // 4


async def test_a_full_disk_refuses_orders_until_there_is_room(
    tmp_path: Path, make_client: MakeClient
) -> None:
    """SQLite reports its own size limit as it reports a full disk."""
    settings = settings_of(f"sqlite:///{tmp_path / 'small.db'}")
    assert migrate(settings) == 0
    app = create_app(settings, Flags())
    async with make_client(app) as client:
        engine: AsyncEngine = app.state.database.engine
        room = [30]

        @event.listens_for(engine.sync_engine, "checkout")
        def limit(connection: Any, *_: object) -> None:  # noqa: ANN401 - any driver's
            connection.execute(f"PRAGMA max_page_count = {room[0]}")

        customers = Customers(client, number=2)
        await customers.trouble()
        while_full = await every_invoice(client)
        room[0] = 1_000_000
        await customers.progress()
        await customers.leave()
        await assert_nothing_lost_or_doubled(customers)

    codes = {response.json()["code"] for response in customers.refused}
    assert codes == {"database_full"}
    for response in customers.refused:
        assert_unavailable(response)
    assert while_full
    assert set(while_full) <= set(customers.acknowledged.values())
