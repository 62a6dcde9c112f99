"""Invoices over HTTP: created once, listed page by page, retrieved."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from ...platform import cursors
from ...platform.context import CurrentActor, context_of
from ...platform.db.database import Session
from ...platform.http.openapi import problem_responses
from ...platform.identifiers import new_identifier
from ...platform.once import OncePerKey
from ..invoices import Invoice, UnknownInvoiceError, issue
from ..pricing import Plan, calculate_billing
from ..schemas import QuoteRequest
from ..schemas.invoices import InvoicePage, InvoiceResponse

if TYPE_CHECKING:
    from ..repository import Invoices

router = APIRouter(route_class=OncePerKey)

LIST = "/billing/invoices"
Limit = Annotated[
    int, Query(ge=1, le=100, description="Maximum number of invoices to return")
]
Cursor = Annotated[str | None, Query(description="next_cursor of the previous page")]


async def get_invoices(session: Session) -> "Invoices":
    """Provide the invoices within the request's transaction."""
    # Imported late: importing the application must not import SQLAlchemy.
    from ..repository import Invoices  # noqa: PLC0415

    return Invoices(session)


StoredInvoices = Annotated["Invoices", Depends(get_invoices)]


LOCATION = {"description": "URL of the invoice", "schema": {"type": "string"}}
CREATED: dict[int | str, dict[str, Any]] = {
    201: {"description": "The invoice", "headers": {"Location": LOCATION}}
}


@router.post(
    "/invoices",
    status_code=201,
    response_model=InvoiceResponse,
    responses=CREATED | problem_responses(400, 403, 408, 413, 415, 422, 500, 503),
)
async def create_invoice(
    order: QuoteRequest,
    request: Request,
    actor: CurrentActor,
    invoices: StoredInvoices,
    response: Response,
) -> Invoice:
    """Create the invoice of a plan, once per Idempotency-Key."""
    plan = Plan(**order.model_dump())
    quote = calculate_billing(plan, context_of(request).flags)
    invoice = issue(quote, new_identifier(), actor)
    await invoices.add(invoice)
    # Relative, so that it is correct behind any proxy.
    response.headers["Location"] = f"invoices/{invoice.id}"
    return invoice


@router.get(
    "/invoices",
    response_model=InvoicePage,
    responses=problem_responses(400, 422, 500, 503),
)
async def list_invoices(
    invoices: StoredInvoices, limit: Limit = 20, cursor: Cursor = None
) -> dict[str, Any]:
    """List invoices, newest first, page by page.

    Invoices created while you page through the list appear before its first page and
    do not shift the other pages.
    """
    before = None if cursor is None else cursors.decode(cursor, of=LIST)
    # One extra invoice tells whether there is a next page.
    found = await invoices.newest(limit + 1, before=before)
    items, has_more = found[:limit], len(found) > limit
    return {
        "items": items,
        "next_cursor": cursors.encode(items[-1].id, of=LIST) if has_more else None,
    }


@router.get(
    "/invoices/{invoice_id}",
    response_model=InvoiceResponse,
    responses=problem_responses(404, 422, 500, 503),
)
async def get_invoice(invoice_id: UUID, invoices: StoredInvoices) -> Invoice:
    """Return one invoice."""
    invoice = await invoices.get(invoice_id)
    if invoice is None:
        raise UnknownInvoiceError("No invoice has this id.")
    return invoice
