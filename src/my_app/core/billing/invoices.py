"""Invoices: accepted quotes, which never change."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ..platform.errors import DomainError
from ..platform.identifiers import made_at
from .pricing import Currency, Line, Quote


class UnknownInvoiceError(DomainError):
    """No invoice has this id."""

    status = 404
    code = "unknown_invoice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """What a customer owes: `total`, in minor units, is the sum of the lines.

    The total is stored with the lines because it is what the customer agreed to; the
    way that lines are added up may change, the total may not.
    """

    id: UUID
    created_at: datetime
    currency: Currency
    lines: tuple[Line, ...]
    total: int


def issue(quote: Quote, identifier: UUID) -> Invoice:
    """Turn a quote into an invoice dated by its identifier."""
    return Invoice(
        id=identifier,
        created_at=made_at(identifier),
        currency=quote.currency,
        lines=quote.lines,
        total=quote.total,
    )
