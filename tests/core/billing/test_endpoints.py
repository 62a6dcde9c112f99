"""Billing over HTTP."""

import pytest
from httpx2 import AsyncClient

from my_app.config import Flags
from my_app.core.billing.schemas import (
    QuoteRequest,
    QuoteResponse,
)


async def test_a_quote_has_lines_and_a_total(client: AsyncClient) -> None:
    response = await client.post(
        "/billing/quotes", json={"seats": 2, "currency": "EUR"}
    )

    assert response.status_code == 200
    assert response.json()["total"] == 2160
    assert [line["amount"] for line in response.json()["lines"]] == [2160]


async def test_the_flag_switches_the_price(
    client: AsyncClient, enable_new_billing: bool
) -> None:
    response = await client.post(
        "/billing/quotes", json={"seats": 100, "currency": "USD"}
    )

    assert response.json()["total"] == (92_000 if enable_new_billing else 120_000)


async def test_the_price_follows_the_flags_of_the_run(
    client: AsyncClient, flags: Flags
) -> None:
    """With ENABLE_NEW_BILLING=true in the environment this tests the new price."""
    response = await client.post(
        "/billing/quotes", json={"seats": 1, "usage": 20_000, "currency": "USD"}
    )
    kinds = {line["kind"] for line in response.json()["lines"]}

    assert kinds == ({"seats", "usage"} if flags.ENABLE_NEW_BILLING else {"seats"})


async def test_an_unknown_discount_is_a_problem(client: AsyncClient) -> None:
    plan = {"seats": 1, "currency": "EUR", "discount_code": "FREE"}
    response = await client.post("/billing/quotes", json=plan)

    assert response.status_code == 422
    assert response.json()["code"] == "unknown_discount"
    assert "FREE" not in response.text


@pytest.mark.parametrize("flags", [Flags(ENABLE_NEW_BILLING=False)])
async def test_the_documented_example_is_correct(
    client: AsyncClient, flags: Flags
) -> None:
    request, answer = (
        model.model_json_schema()["examples"][0]
        for model in (QuoteRequest, QuoteResponse)
    )

    assert (await client.post("/billing/quotes", json=request)).json() == answer
