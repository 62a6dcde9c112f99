"""The table of invoices."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from ..platform.db.tables import Base


class InvoiceRow(Base):
    """One invoice. Identifiers sort by age: the primary key is the index for paging."""

    __tablename__ = "invoices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    currency: Mapped[str] = mapped_column(String(3))
    # Lines are only ever read with their invoice and never change: JSON is enough.
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    total: Mapped[int] = mapped_column(BigInteger)
