"""Invoices over HTTP: made once, listed page by page, found again."""

from urllib.parse import urljoin
from uuid import UUID, uuid4

import pytest
from httpx2 import AsyncClient

from my_app.config import Flags
from my_app.core.billing.invoices import issue
from my_app.core.billing.pricing import Plan, calculate_billing
from my_app.core.billing.repository import Invoices
from my_app.core.platform.db.engine import Database
from my_app.core.platform.idempotency import Claim, fingerprint
from my_app.core.platform.identifiers import new_identifier

from tests.core.billing.orders import PLAN, order


async def listed(client: AsyncClient, **query: str | int) -> list[str]:
    """Return the ids of one page."""
    page = (await client.get("/billing/invoices", params=query)).json()
    return [item["id"] for item in page["items"]]


async def test_an_invoice_charges_what_the_quote_said(
    client: AsyncClient, enable_new_billing: bool
) -> None:
    plan = {"seats": 100, "currency": "USD", "discount_code": "WELCOME10"}
    quote = (await client.post("/billing/quotes", json=plan)).json()
    response = await order(client, plan=plan)

    invoice = response.json()
    assert response.status_code == 201
    assert {name: invoice[name] for name in quote} == quote
    assert UUID(invoice["id"]).version == 7
    assert enable_new_billing == (len(quote["lines"]) > 2)


async def test_an_invoice_is_found_at_the_address_that_was_told(
    client: AsyncClient,
) -> None:
    made = await order(client)
    address = urljoin(str(made.request.url), made.headers["Location"])
    found = await client.get(address)

    assert found.status_code == 200
    assert found.json() == made.json()


async def test_an_invoice_that_is_not_there_is_a_problem(client: AsyncClient) -> None:
    response = await client.get(f"/billing/invoices/{uuid4()}")

    assert response.status_code == 404
    assert response.json()["code"] == "unknown_invoice"


async def test_a_repeated_request_gets_the_stored_answer(client: AsyncClient) -> None:
    first = await order(client, "key")
    again = await order(client, "key", {"currency": "EUR", "seats": 2.0, "usage": 0})

    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert len(await listed(client)) == 1


async def test_a_key_with_another_body_is_refused(client: AsyncClient) -> None:
    await order(client, "key")
    other = await order(client, "key", PLAN | {"seats": 3})

    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
    assert len(await listed(client)) == 1


async def test_a_key_that_was_refused_may_be_used_for_a_good_request(
    client: AsyncClient,
) -> None:
    """Only what was done is remembered: after an error the same key may try again."""
    refused = await order(client, "key", PLAN | {"discount_code": "FREE"})
    done = await order(client, "key")

    assert refused.status_code == 422
    assert done.status_code == 201
    assert "Idempotency-Replayed" not in done.headers


async def test_what_cannot_be_ordered_any_more_is_answered_again(
    client: AsyncClient, database: Database
) -> None:
    """A discount may end between a request and its repetition."""
    plan = PLAN | {"discount_code": "SUMMER"}
    quote = calculate_billing(Plan(seats=2, usage=0, currency="EUR"), Flags())
    invoice = issue(quote, new_identifier())
    claim = Claim(key="key", fingerprint=fingerprint(plan), made_at=invoice.created_at)
    async with database.transaction(writing=True) as session:
        assert await Invoices(session).add(invoice, claim)

    again = await order(client, "key", plan)
    new = await order(client, "other-key", plan)

    assert again.json()["id"] == str(invoice.id)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert new.json()["code"] == "unknown_discount"


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ([], "idempotency_key_missing"),
        ([""], "idempotency_key_malformed"),
        (["a" * 256], "idempotency_key_malformed"),
        (["a b"], "idempotency_key_malformed"),
        (["a", "b"], "idempotency_key_malformed"),
    ],
)
async def test_a_request_without_one_good_key_is_refused(
    client: AsyncClient, keys: list[str], code: str
) -> None:
    headers = [("Idempotency-Key", key) for key in keys]
    response = await client.post("/billing/invoices", json=PLAN, headers=headers)

    assert response.status_code == 400
    assert response.json()["code"] == code


async def test_invoices_are_listed_newest_first(client: AsyncClient) -> None:
    made = [(await order(client)).json()["id"] for _ in range(5)]

    assert await listed(client) == made[::-1]


async def test_pages_hold_each_invoice_once_while_others_are_added(
    client: AsyncClient,
) -> None:
    made = [(await order(client)).json()["id"] for _ in range(7)]
    seen, cursor = [], None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/billing/invoices", params=query)).json()
        assert len(page["items"]) <= 3
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        await order(client)

    assert seen == made[::-1]


async def test_a_last_page_that_is_full_says_that_it_is_the_last(
    client: AsyncClient,
) -> None:
    for _ in range(3):
        await order(client)
    page = (await client.get("/billing/invoices", params={"limit": 3})).json()

    assert len(page["items"]) == 3
    assert page["next_cursor"] is None


async def test_the_list_of_no_invoices_is_empty(client: AsyncClient) -> None:
    page = (await client.get("/billing/invoices")).json()

    assert page == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("limit", [0, -1, 101, "many"])
async def test_a_page_has_a_largest_size(client: AsyncClient, limit: object) -> None:
    response = await client.get("/billing/invoices", params={"limit": str(limit)})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/query/limit"


@pytest.mark.parametrize("cursor", ["", "x", "AZqfPFoAfT6PIWsMHS4_QPbqP1O3TaBT"])
async def test_a_cursor_that_was_tampered_with_is_refused(
    client: AsyncClient, cursor: str
) -> None:
    response = await client.get("/billing/invoices", params={"cursor": cursor})

    assert response.status_code == 400
    assert response.json()["code"] == "invalid_cursor"
