"""An invoice is its quote, with a name and a time."""

from hypothesis import given

from my_app.config import Flags
from my_app.core.billing.invoices import issue
from my_app.core.billing.pricing import Plan, calculate_billing
from my_app.core.platform.identifiers import (
    made_at,
    new_identifier,
)

from tests.core.billing.test_pricing import plans, states


@given(plans, states)
def test_an_invoice_charges_what_the_quote_said(plan: Plan, flags: Flags) -> None:
    quote = calculate_billing(plan, flags)
    invoice = issue(quote, new_identifier())

    assert invoice.lines == quote.lines
    assert invoice.currency == plan.currency
    assert invoice.total == quote.total == sum(line.amount for line in invoice.lines)


def test_an_invoice_is_as_old_as_its_identifier() -> None:
    quote = calculate_billing(Plan(seats=1, usage=0, currency="EUR"), Flags())
    identifier = new_identifier()

    assert issue(quote, identifier).id == identifier
    assert issue(quote, identifier).created_at == made_at(identifier)
