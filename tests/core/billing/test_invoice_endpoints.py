"""Invoices over HTTP: created once, listed page by page, retrieved."""

from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import pytest
from httpx2 import AsyncClient, Response

from my_app.core.billing.pricing import DISCOUNTS

PLAN = {"seats": 2, "currency": "EUR"}


async def order(
    client: AsyncClient,
    key: str | None = None,
    plan: dict[str, Any] = PLAN,
    **headers: str,
) -> Response:
    """Order an invoice, with a new key unless one is given."""
    headers["Idempotency-Key"] = key or str(uuid4())
    return await client.post("/billing/invoices", json=plan, headers=headers)


async def test_an_invoice_is_found_at_its_location(
    client: AsyncClient,
) -> None:
    made = await order(client)
    address = urljoin(str(made.request.url), made.headers["Location"])
    found = await client.get(address)

    assert found.status_code == 200
    assert found.json() == made.json()


async def test_an_unknown_invoice_is_404(client: AsyncClient) -> None:
    response = await client.get(f"/billing/invoices/{uuid4()}")

    assert response.status_code == 404
    assert response.json()["code"] == "unknown_invoice"


async def test_an_order_that_is_no_longer_valid_is_still_replayed(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A discount may end between a request and its retry."""
    plan = PLAN | {"discount_code": "WELCOME10"}
    made = await order(client, "key", plan)
    monkeypatch.delitem(DISCOUNTS, "WELCOME10")
    again = await order(client, "key", plan)
    new = await order(client, "other-key", plan)

    assert again.content == made.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert new.json()["code"] == "unknown_discount"


async def test_a_large_order_takes_a_role_and_is_replayed_to_the_same_actor_only(
    client: AsyncClient,
) -> None:
    plan = PLAN | {"seats": 1001}
    ann, eve = ({"X-Forwarded-User": name} for name in ("ann", "eve"))
    sales = {"X-Forwarded-Groups": "it, sales"}
    refused = await order(client, "key", plan, **ann)
    made = await order(client, "key", plan, **ann, **sales)
    again = await order(client, "key", plan, **ann)
    other = await order(client, "key", plan, **eve, **sales)

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (made.status_code, again.content) == (201, made.content)
    assert other.json()["code"] == "idempotency_key_reused"


async def test_pages_hold_each_invoice_once(client: AsyncClient) -> None:
    made = [(await order(client)).json()["id"] for _ in range(3)]
    first = (await client.get("/billing/invoices", params={"limit": 2})).json()
    query = {"limit": 1, "cursor": first["next_cursor"]}
    last = (await client.get("/billing/invoices", params=query)).json()

    assert [each["id"] for each in first["items"] + last["items"]] == made[::-1]
    assert last["next_cursor"] is None


async def test_without_invoices_the_list_is_empty(client: AsyncClient) -> None:
    page = (await client.get("/billing/invoices")).json()

    assert page == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("limit", [0, -1, 101, "many"])
async def test_an_invalid_page_size_is_refused(
    client: AsyncClient, limit: object
) -> None:
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
