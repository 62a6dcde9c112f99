"""Where invoices are kept."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from ..platform.db.tables import Base
from ..platform.idempotency import FINGERPRINT_BYTES, MAX_KEY_LENGTH


class InvoiceRow(Base):
    """One invoice, and for some time the key under which it was asked for.

    The key stands in the same row, so that one statement stores both and its unique
    constraint is what keeps an invoice from being made twice. The identifier sorts by
    age, which makes the primary key the index that pages are read by.
    """

    __tablename__ = "invoices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    currency: Mapped[str] = mapped_column(String(3))
    # Lines are read with their invoice and never change: nobody asks for one alone.
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    total: Mapped[int] = mapped_column(BigInteger)
    # Both are there while the key is remembered, and nothing afterwards.
    idempotency_key: Mapped[str | None] = mapped_column(
        String(MAX_KEY_LENGTH), unique=True
    )
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary(FINGERPRINT_BYTES))


# The keys that are remembered, oldest first: it stays small, whatever the table does.
Index(
    "ix_invoices_remembered_keys",
    InvoiceRow.created_at,
    postgresql_where=InvoiceRow.idempotency_key.is_not(None),
    sqlite_where=InvoiceRow.idempotency_key.is_not(None),
)
