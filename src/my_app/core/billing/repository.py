"""Reading and writing invoices."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import CursorResult, Insert, Row, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from ..platform.idempotency import Claim, check_repeats, is_over
from .invoices import Invoice
from .pricing import Line
from .tables import InvoiceRow

# One new invoice in so many makes the service forget keys that are over, at most so
# many of them: twice as many as came in the meantime, so that they never pile up.
FORGET_EVERY = 32
FORGET_AT_MOST = 64

# Statements of the table rather than of its class: half the time to put together, and
# nothing is kept track of that never changes. Made once, for the same reason.
invoices: Table = InvoiceRow.metadata.tables[InvoiceRow.__tablename__]
columns = invoices.c
every = select(invoices)
by_id = every.where(columns.id == bindparam("id"))
by_key = every.where(columns.idempotency_key == bindparam("key"))
newest = every.order_by(columns.id.desc()).limit(bindparam("size"))
newest_before = newest.where(columns.id < bindparam("before"))
over = (
    select(columns.id)
    .where(columns.idempotency_key.is_not(None))
    .where(columns.created_at <= bindparam("until"))
    .order_by(columns.created_at)
    .limit(FORGET_AT_MOST)
    # Two at once take different ones; neither waits. (SQLite has one writer anyway.)
    .with_for_update(skip_locked=True)
)
forget = update(invoices).values(idempotency_key=None, fingerprint=None)
forget_over = forget.where(columns.id.in_(over))
forget_one = forget.where(columns.id == bindparam("of"))
ADD: Mapping[str, Insert] = {
    name: insert(invoices)
    .on_conflict_do_nothing(index_elements=[columns.idempotency_key])
    .execution_options(preserve_rowcount=True)
    for name, insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}


class Answer(NamedTuple):
    """The invoice of a request, and whether an earlier request made it."""

    invoice: Invoice
    replayed: bool


class Invoices:
    """The invoices of the database, within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, identifier: UUID) -> Invoice | None:
        """Return an invoice, None where there is none."""
        row = (await self.session.execute(by_id, {"id": identifier})).one_or_none()
        return invoice_of(row) if row else None

    async def newest(self, size: int, *, before: UUID | None = None) -> list[Invoice]:
        """Return at most so many invoices, newest first, those before one of them."""
        statement = newest_before if before else newest
        found = await self.session.execute(statement, {"size": size, "before": before})
        return [invoice_of(row) for row in found]

    async def add_once(
        self, invoice: Invoice, claim: Claim, *, lifetime: timedelta
    ) -> Answer:
        """Store an invoice, unless an earlier request under the same key has.

        Where that request is still under way this waits for it to end.

        Raises:
            KeyReusedError: the earlier request asked for something else.
        """
        # Goes round again only where a key is forgotten in between, by us or by
        # another: the next round then stores the invoice or finds a key made just now.
        while not await self.add(invoice, claim):
            earlier = await self.replay(claim, lifetime=lifetime)
            if earlier:
                return Answer(earlier, replayed=True)
        if invoice.id.int % FORGET_EVERY == 0:
            await self.forget(until=claim.made_at - lifetime)
        return Answer(invoice, replayed=False)

    async def add(self, invoice: Invoice, claim: Claim) -> bool:
        """Store an invoice and its key; False where the key is taken."""
        statement = ADD[self.session.get_bind().dialect.name]
        values = {
            "id": invoice.id,
            "created_at": invoice.created_at,
            "currency": invoice.currency,
            "lines": [asdict(line) for line in invoice.lines],
            "total": invoice.total,
            "idempotency_key": claim.key,
            "fingerprint": claim.fingerprint,
        }
        added = cast(CursorResult[Any], await self.session.execute(statement, values))
        return added.rowcount == 1

    async def replay(self, claim: Claim, *, lifetime: timedelta) -> Invoice | None:
        """Return what was stored under a key; None where nothing is, or not any more.

        Raises:
            KeyReusedError: the earlier request asked for something else.
        """
        found = await self.session.execute(by_key, {"key": claim.key})
        row = found.one_or_none()
        if row is None:
            return None
        earlier = Claim(
            key=claim.key, fingerprint=row.fingerprint, made_at=row.created_at
        )
        if is_over(earlier, claim.made_at, lifetime):
            await self.session.execute(forget_one, {"of": row.id})
            return None
        check_repeats(claim, earlier)
        return invoice_of(row)

    async def forget(self, *, until: datetime) -> None:
        """Forget some of the keys that were made until then; invoices stay."""
        await self.session.execute(forget_over, {"until": until})


def invoice_of(row: Row[Any]) -> Invoice:
    """Read an invoice from its row."""
    return Invoice(
        id=row.id,
        created_at=row.created_at,
        currency=row.currency,
        lines=tuple(Line(**line) for line in row.lines),
        total=row.total,
    )
