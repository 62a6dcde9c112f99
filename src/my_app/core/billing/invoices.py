"""Invoices: accepted quotes, which never change."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ..platform.actor import Actor
from ..platform.errors import DomainError
from ..platform.identifiers import made_at
from .pricing import Currency, Line, Quote

# The price of more seats is negotiated.
MAX_SEATS_WITHOUT_SALES = 1_000


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


def issue(quote: Quote, identifier: UUID, actor: Actor) -> Invoice:
    """Turn a quote into an invoice dated by its identifier.

    Raises:
        ForbiddenError: it is for so many seats that only sales may accept it.
    """
    seats = sum(line.quantity for line in quote.lines if line.kind == "seats")
    if seats > MAX_SEATS_WITHOUT_SALES:
        limit = f"{MAX_SEATS_WITHOUT_SALES:,}"
        actor.require("sales", to=f"order more than {limit} seats")
    return Invoice(
        id=identifier,
        created_at=made_at(identifier),
        currency=quote.currency,
        lines=quote.lines,
        total=quote.total,
    )
