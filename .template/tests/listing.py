"""Every invoice of a service."""

from httpx2 import AsyncClient


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
