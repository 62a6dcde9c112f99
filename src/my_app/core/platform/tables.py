"""Idempotency keys in the database: their table, and taking one for a request."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast
from zlib import crc32

from sqlalchemy import (
    JSON,
    CursorResult,
    Insert,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from .db.tables import Base
from .idempotency import (
    FINGERPRINT_BYTES,
    MAX_KEY_LENGTH,
    Claim,
    check_same_request,
    is_expired,
)

# One new key in PURGE_EVERY deletes up to PURGE_BATCH expired ones: twice as many as
# were added in the meantime, so that they never pile up.
PURGE_EVERY = 32
PURGE_BATCH = 64


class KeyRow(Base):
    """One key, and the response of its request: null until the request has one."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(String(MAX_KEY_LENGTH), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(FINGERPRINT_BYTES))
    made_at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    body: Mapped[bytes | None]


table: Table = KeyRow.metadata.tables[KeyRow.__tablename__]
select_key = select(table).where(table.c.key == bindparam("of"))
delete_key = delete(table).where(table.c.key == bindparam("of"))
# Not one that another request has renewed in the meantime.
delete_expired = delete_key.where(table.c.made_at <= bindparam("until"))
answer_key = update(table).where(table.c.key == bindparam("of"))
expired_keys = (
    select(table.c.key)
    .where(table.c.made_at <= bindparam("until"))
    .order_by(table.c.made_at)
    .limit(PURGE_BATCH)
    # Concurrent purges skip each other's rows. (SQLite has a single writer anyway.)
    .with_for_update(skip_locked=True)
)
purge = delete(table).where(table.c.key.in_(expired_keys))
INSERT: Mapping[str, Insert] = {
    name: insert(table)
    .on_conflict_do_nothing(index_elements=[table.c.key])
    .execution_options(preserve_rowcount=True)
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


class Stored(NamedTuple):
    """The response of an earlier request."""

    status: int
    headers: dict[str, str]
    body: bytes


class Keys:
    """The keys in the database, within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def claim(self, claim: Claim, *, lifetime: timedelta) -> Stored | None:
        """Take a key; if it is taken already, return the response of its request.

        Waits for the earlier request if it is still in progress.

        Raises:
            KeyReusedError: the earlier request asked for something else.
        """
        until = {"of": claim.key, "until": claim.made_at - lifetime}
        # Loops only if a key expires in between: the next attempt either takes it or
        # finds one that was stored just now.
        while not await self.add(claim):
            if earlier := await self.replay(claim, lifetime=lifetime):
                return earlier
            await self.session.execute(delete_expired, until)
        if is_purging(claim.key):
            await self.session.execute(purge, until)
        return None

    async def add(self, claim: Claim) -> bool:
        """Store a key; return False if it is taken."""
        statement = INSERT[self.session.get_bind().dialect.name]
        result = await self.session.execute(statement, asdict(claim))
        return cast(CursorResult[Any], result).rowcount == 1

    async def replay(self, claim: Claim, *, lifetime: timedelta) -> Stored | None:
        """Return the response stored under a key; None if there is none or it expired.

        Raises:
            KeyReusedError: the earlier request asked for something else.
        """
        result = await self.session.execute(select_key, {"of": claim.key})
        row = result.one_or_none()
        if row is None:
            return None
        earlier = Claim(key=claim.key, fingerprint=row.fingerprint, made_at=row.made_at)
        if is_expired(earlier, claim.made_at, lifetime):
            return None
        check_same_request(claim, earlier)
        return Stored(row.status, row.headers, row.body)

    async def remember(self, key: str, response: Stored | None) -> None:
        """Store the response of the request that took the key; None releases it."""
        if response:
            await self.session.execute(answer_key, {"of": key} | response._asdict())
        else:
            await self.session.execute(delete_key, {"of": key})


def is_purging(key: str) -> bool:
    """Return whether the request of this key also deletes expired ones."""
    return crc32(key.encode()) % PURGE_EVERY == 0
