"""Reading and writing invoices."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import CursorResult, Insert, Row, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from ..platform.idempotency import Claim, check_same_request, is_expired
from .invoices import Invoice
from .pricing import Line
from .tables import InvoiceRow

# One new invoice in PURGE_EVERY clears up to PURGE_BATCH expired keys: twice as many as
# were added in the meantime, so that they never pile up.
PURGE_EVERY = 32
PURGE_BATCH = 64

# Core statements rather than ORM queries: they take half the time to build, and rows
# that never change need no change tracking. Built once, for the same reason.
table: Table = InvoiceRow.metadata.tables[InvoiceRow.__tablename__]
select_all = select(table)
select_by_id = select_all.where(table.c.id == bindparam("id"))
select_by_key = select_all.where(table.c.idempotency_key == bindparam("key"))
select_newest = select_all.order_by(table.c.id.desc()).limit(bindparam("size"))
select_older = select_newest.where(table.c.id < bindparam("before"))
expired_keys = (
    select(table.c.id)
    .where(table.c.idempotency_key.is_not(None))
    .where(table.c.created_at <= bindparam("until"))
    .order_by(table.c.created_at)
    .limit(PURGE_BATCH)
    # Concurrent purges skip each other's rows. (SQLite has a single writer anyway.)
    .with_for_update(skip_locked=True)
)
clear_keys = update(table).values(idempotency_key=None, fingerprint=None)
clear_expired_keys = clear_keys.where(table.c.id.in_(expired_keys))
clear_key_of = clear_keys.where(table.c.id == bindparam("of"))
INSERT: Mapping[str, Insert] = {
    name: insert(table)
    .on_conflict_do_nothing(index_elements=[table.c.idempotency_key])
    .execution_options(preserve_rowcount=True)
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


class AddResult(NamedTuple):
    """The invoice of a request, and whether an earlier request created it."""

    invoice: Invoice
    replayed: bool


class Invoices:
    """The invoices in the database, within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, identifier: UUID) -> Invoice | None:
        """Return an invoice; None if there is none with this id."""
        result = await self.session.execute(select_by_id, {"id": identifier})
        row = result.one_or_none()
        return to_invoice(row) if row else None

    async def newest(self, size: int, *, before: UUID | None = None) -> list[Invoice]:
        """Return up to `size` invoices, newest first, all older than `before`."""
        statement = select_older if before else select_newest
        rows = await self.session.execute(statement, {"size": size, "before": before})
        return [to_invoice(row) for row in rows]

    async def add_once(
        self, invoice: Invoice, claim: Claim, *, lifetime: timedelta
    ) -> AddResult:
        """Store an invoice, unless an earlier request with the same key did.

        Waits for the earlier request if it is still in progress.

        Raises:
            KeyReusedError: the earlier request asked for something else.
        """
        # Loops only if a key expires in between: the next attempt either stores the
        # invoice or finds a key that was stored just now.
        while not await self.add(invoice, claim):
            earlier = await self.replay(claim, lifetime=lifetime)
            if earlier:
                return AddResult(earlier, replayed=True)
        if invoice.id.int % PURGE_EVERY == 0:
            await self.purge_keys(until=claim.made_at - lifetime)
        return AddResult(invoice, replayed=False)

    async def add(self, invoice: Invoice, claim: Claim) -> bool:
        """Store an invoice and its key; return False if the key is taken."""
        statement = INSERT[self.session.get_bind().dialect.name]
        values = {
            "id": invoice.id,
            "created_at": invoice.created_at,
            "currency": invoice.currency,
            "lines": [asdict(line) for line in invoice.lines],
            "total": invoice.total,
            "idempotency_key": claim.key,
            "fingerprint": claim.fingerprint,
        }
        result = cast(CursorResult[Any], await self.session.execute(statement, values))
        return result.rowcount == 1

    async def replay(self, claim: Claim, *, lifetime: timedelta) -> Invoice | None:
        """Return the invoice stored under a key; None if there is none or it expired.

        Raises:
            KeyReusedError: the earlier request asked for something else.
        """
        result = await self.session.execute(select_by_key, {"key": claim.key})
        row = result.one_or_none()
        if row is None:
            return None
        earlier = Claim(
            key=claim.key, fingerprint=row.fingerprint, made_at=row.created_at
        )
        if is_expired(earlier, claim.made_at, lifetime):
            await self.session.execute(clear_key_of, {"of": row.id})
            return None
        check_same_request(claim, earlier)
        return to_invoice(row)

    async def purge_keys(self, *, until: datetime) -> None:
        """Clear some of the keys stored up to `until`; their invoices stay."""
        await self.session.execute(clear_expired_keys, {"until": until})


def to_invoice(row: Row[Any]) -> Invoice:
    """Build an invoice from its row."""
    return Invoice(
        id=row.id,
        created_at=row.created_at,
        currency=row.currency,
        lines=tuple(Line(**line) for line in row.lines),
        total=row.total,
    )
