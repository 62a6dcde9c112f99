"""Response bodies of invoices."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from ..pricing import Currency
from . import LINE, Amount, QuoteLine

CURSOR = "AZqfPFoAfT6PIWsMHS4_QPbqP1O3TaBS"
INVOICE: JsonDict = {
    "id": "019a9f3c-5a00-7d3e-8f21-6b0c1d2e3f40",
    "created_at": "2026-11-21T12:00:00Z",
    "currency": "EUR",
    "lines": [LINE],
    "total": 12_960,
}


class InvoiceResponse(BaseModel):
    """An accepted quote, which never changes."""

    model_config = ConfigDict(
        from_attributes=True, json_schema_extra={"examples": [INVOICE]}
    )

    id: UUID
    created_at: datetime
    currency: Currency
    lines: list[QuoteLine]
    total: Amount


class InvoicePage(BaseModel):
    """One page of invoices, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [INVOICE], "next_cursor": CURSOR}]}
    )

    items: list[InvoiceResponse]
    next_cursor: str | None = Field(
        description="Send as cursor to get the next page; null on the last page"
    )
