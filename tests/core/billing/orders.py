"""Ordering invoices over HTTP."""

from typing import Any
from uuid import uuid4

from httpx2 import AsyncClient, Response

PLAN = {"seats": 2, "currency": "EUR"}


async def order(
    client: AsyncClient, key: str | None = None, plan: dict[str, Any] = PLAN
) -> Response:
    """Order an invoice, with a new key unless one is given."""
    headers = {"Idempotency-Key": key or str(uuid4())}
    return await client.post("/billing/invoices", json=plan, headers=headers)


async def every_invoice(client: AsyncClient) -> list[str]:
    """List the ids of all invoices, page by page."""
    found: list[str] = []
    query: dict[str, str | int] = {"limit": 100}
    while True:
        page = (await client.get("/billing/invoices", params=query)).json()
        found += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]
