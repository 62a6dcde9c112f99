"""An invoice is its quote, with a name and a time."""

import pytest
from hypothesis import given

from my_app.config import Flags
from my_app.core.billing.invoices import (
    MAX_SEATS_WITHOUT_SALES,
    issue,
)
from my_app.core.billing.pricing import Plan, calculate_billing
from my_app.core.platform.actor import Actor, ForbiddenError
from my_app.core.platform.identifiers import (
    made_at,
    new_identifier,
)

from tests.core.billing.test_pricing import plans, states

SALES = Actor(id="ann", roles=frozenset({"sales"}))


@given(plans, states)
def test_an_invoice_charges_what_the_quote_said(plan: Plan, flags: Flags) -> None:
    quote = calculate_billing(plan, flags)
    invoice = issue(quote, new_identifier(), SALES)

    assert invoice.lines == quote.lines
    assert invoice.currency == plan.currency
    assert invoice.total == quote.total == sum(line.amount for line in invoice.lines)


def test_an_invoice_is_as_old_as_its_identifier() -> None:
    quote = calculate_billing(Plan(seats=1, usage=0, currency="EUR"), Flags())
    identifier = new_identifier()

    invoice = issue(quote, identifier, Actor())
    assert invoice.id == identifier
    assert invoice.created_at == made_at(identifier)


@given(states)
def test_only_sales_may_invoice_many_seats(flags: Flags) -> None:
    def invoice(seats: int, actor: Actor) -> int:
        quote = calculate_billing(Plan(seats=seats, usage=0, currency="EUR"), flags)
        return issue(quote, new_identifier(), actor).total

    assert invoice(MAX_SEATS_WITHOUT_SALES, Actor(id="bob"))
    assert invoice(MAX_SEATS_WITHOUT_SALES + 1, SALES)
    with pytest.raises(ForbiddenError, match="role sales to order more than 1,000"):
        invoice(MAX_SEATS_WITHOUT_SALES + 1, Actor(id="bob", roles=frozenset({"it"})))
