"""Reading and writing invoices."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from .invoices import Invoice
from .pricing import Line
from .tables import InvoiceRow

# Core statements rather than ORM queries: they take half the time to build, and rows
# that never change need no change tracking. Built once, for the same reason.
table: Table = InvoiceRow.metadata.tables[InvoiceRow.__tablename__]
insert_one = insert(table)
select_all = select(table)
select_by_id = select_all.where(table.c.id == bindparam("id"))
select_newest = select_all.order_by(table.c.id.desc()).limit(bindparam("size"))
select_older = select_newest.where(table.c.id < bindparam("before"))


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

    async def add(self, invoice: Invoice) -> None:
        """Store an invoice."""
        lines = [asdict(line) for line in invoice.lines]
        values = {
            "id": invoice.id,
            "created_at": invoice.created_at,
            "currency": invoice.currency,
            "lines": lines,
            "total": invoice.total,
        }
        await self.session.execute(insert_one, values)


def to_invoice(row: Row[Any]) -> Invoice:
    """Build an invoice from its row."""
    return Invoice(
        id=row.id,
        created_at=row.created_at,
        currency=row.currency,
        lines=tuple(Line(**line) for line in row.lines),
        total=row.total,
    )
