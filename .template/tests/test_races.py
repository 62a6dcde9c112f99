"""Concurrent requests with one key create one invoice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from httpx2 import AsyncClient

from listing import every_invoice
from my_app.config import Flags, Settings
from my_app.core.app import ServiceSettings, create_app
from my_app.core.platform.db.engine import Database
from my_app.core.platform.idempotency import (
    Claim,
    fingerprint,
)
from my_app.core.platform.tables import Keys

from tests.conftest import MakeClient
from tests.core.billing.test_invoice_endpoints import PLAN, order
from tests.plugins.databases import on

pytestmark = pytest.mark.anyio
AT_ONCE = 8


@pytest.fixture
def settings() -> Settings:
    return ServiceSettings(environment="test")


@pytest.fixture
async def client(
    settings: Settings, own_database: Database, make_client: MakeClient
) -> AsyncIterator[AsyncClient]:
    """Open a client for a service with a full connection pool."""
    async with make_client(create_app(settings, Flags(), on(own_database))) as client:
        yield client


async def test_one_of_many_concurrent_requests_creates_the_invoice(
    client: AsyncClient,
) -> None:
    answers = await asyncio.gather(*(order(client, "key") for _ in range(AT_ONCE)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    replayed = [answer.headers.get("Idempotency-Replayed") for answer in answers]
    assert sorted(map(str, replayed)) == ["None"] + ["true"] * (AT_ONCE - 1)
    assert len(await every_invoice(client)) == 1


async def test_of_two_concurrent_bodies_one_is_refused(client: AsyncClient) -> None:
    other = PLAN | {"seats": 9}
    answers = await asyncio.gather(
        order(client, "key"), order(client, "key", other), order(client, "key", other)
    )

    statuses = [answer.status_code for answer in answers]
    assert statuses in ([201, 422, 422], [422, 201, 201])
    assert len(await every_invoice(client)) == 1


async def test_one_of_many_concurrent_requests_reuses_an_expired_key(
    client: AsyncClient, own_database: Database
) -> None:
    then = datetime.now(UTC) - timedelta(hours=25)
    claim = Claim(key="key", fingerprint=fingerprint({}), made_at=then)
    async with own_database.transaction(writing=True) as session:
        assert await Keys(session).add(claim)

    answers = await asyncio.gather(*(order(client, "key") for _ in range(AT_ONCE)))

    assert {answer.status_code for answer in answers} == {201}
    (made,) = {answer.json()["id"] for answer in answers}
    assert await every_invoice(client) == [made]
