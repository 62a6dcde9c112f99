"""Ordering invoices over HTTP."""

from typing import Any
from uuid import uuid4

from httpx2 import AsyncClient, Response

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
