"""Storing invoices."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings

from my_app.config import Flags
from my_app.core.billing.invoices import issue
from my_app.core.billing.pricing import Plan, calculate_billing
from my_app.core.billing.repository import (
    Invoices,
)
from my_app.core.platform.db.engine import Database
from my_app.core.platform.identifiers import (
    new_identifier,
)

from tests.core.billing.test_invoices import SALES
from tests.core.billing.test_pricing import plans, states

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
async def invoices(database: Database) -> AsyncIterator[Invoices]:
    async with database.transaction(writing=True) as session:
        yield Invoices(session)


@shared
@given(plan=plans, flags=states)
async def test_an_invoice_is_read_as_it_was_stored(
    invoices: Invoices, plan: Plan, flags: Flags
) -> None:
    invoice = issue(calculate_billing(plan, flags), new_identifier(), SALES)
    await invoices.add(invoice)

    assert await invoices.get(invoice.id) == invoice
    assert await invoices.newest(1) == [invoice]
