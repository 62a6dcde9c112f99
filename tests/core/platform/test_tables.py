"""Storing keys with their responses, and how long they are remembered."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from my_app.core.platform.db.engine import Database
from my_app.core.platform.idempotency import (
    Claim,
    fingerprint,
)
from my_app.core.platform.tables import (
    PURGE_BATCH,
    Keys,
    Stored,
    is_purging,
    table,
)

LIFETIME = timedelta(hours=24)
NOW = datetime.now(UTC)


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    async with database.transaction(writing=True) as session:
        yield session


@pytest.fixture
def keys(session: AsyncSession) -> Keys:
    return Keys(session)


def new_key(*, purging: bool = False) -> str:
    """Draw a key whose claim also deletes expired ones, or does not."""
    drawn = (str(uuid4()) for _ in itertools.count())
    return next(key for key in drawn if is_purging(key) == purging)


async def take(
    keys: Keys, key: str, body: str = "", *, at: datetime = NOW
) -> Stored | None:
    """Claim a key and, if it was free, remember a response that names the body."""
    claim = Claim(key=key, fingerprint=fingerprint(body), made_at=at)
    earlier = await keys.claim(claim, lifetime=LIFETIME)
    if earlier is None:
        await keys.remember(key, stored(body))
    return earlier


def stored(body: str) -> Stored:
    return Stored(201, {"location": f"things/{body}"}, body.encode())


async def remembered(session: AsyncSession) -> int:
    return (await session.scalars(select(func.count(table.c.key)))).one()


async def test_an_expired_key_may_be_reused(keys: Keys) -> None:
    await take(keys, "key", at=NOW - LIFETIME)

    assert await take(keys, "key", "other") is None
    assert await take(keys, "key", "other") == stored("other")


async def test_a_key_is_remembered_until_it_expires(keys: Keys) -> None:
    await take(keys, "key", at=NOW - LIFETIME + timedelta(minutes=1))

    assert await take(keys, "key") == stored("")


async def test_a_key_that_another_request_released_is_free(keys: Keys) -> None:
    claim = Claim(key=new_key(), fingerprint=fingerprint(""), made_at=NOW)
    assert await keys.replay(claim, lifetime=LIFETIME) is None


async def test_expired_keys_are_deleted_in_batches(
    keys: Keys, session: AsyncSession
) -> None:
    """Only one request in many pays for it."""
    await take(keys, new_key(), at=NOW - 2 * LIFETIME)
    (row,) = (await session.execute(select(table))).mappings()
    others = [{**row, "key": new_key()} for _ in range(PURGE_BATCH + 9)]
    await session.execute(insert(table), others)
    await take(keys, new_key())
    assert await remembered(session) == PURGE_BATCH + 11
    await take(keys, new_key(purging=True))

    assert await remembered(session) == 10 + 2
