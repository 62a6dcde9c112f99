"""The table of invoices."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from ..platform.db.tables import Base
from ..platform.idempotency import FINGERPRINT_BYTES, MAX_KEY_LENGTH


class InvoiceRow(Base):
    """One invoice and, for a limited time, the idempotency key of its request.

    Both are in one row, so a single statement stores them and the unique constraint on
    the key prevents duplicate invoices. Identifiers sort by age, so the primary key is
    the index for paging.
    """

    __tablename__ = "invoices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    currency: Mapped[str] = mapped_column(String(3))
    # Lines are only ever read with their invoice and never change: JSON is enough.
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    total: Mapped[int] = mapped_column(BigInteger)
    # Set while the key is remembered, null afterwards.
    idempotency_key: Mapped[str | None] = mapped_column(
        String(MAX_KEY_LENGTH), unique=True
    )
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary(FINGERPRINT_BYTES))


# Remembered keys, oldest first. Stays small however large the table grows.
Index(
    "ix_invoices_remembered_keys",
    InvoiceRow.created_at,
    postgresql_where=InvoiceRow.idempotency_key.is_not(None),
    sqlite_where=InvoiceRow.idempotency_key.is_not(None),
)
