"""Orders of invoices, as a client sends them: one by one, or many that do not give up.

Each order has a key of its own. Who gets no answer, or is told to come back, sends the
same order under the same key again.
"""

import asyncio
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any
from uuid import uuid4

from httpx2 import AsyncClient, Response, TransportError

from tests.servers import PATIENCE

PLAN = {"seats": 2, "currency": "EUR"}
PAUSE_SECONDS = 0.01


async def order(
    client: AsyncClient, key: str | None = None, plan: dict[str, Any] = PLAN
) -> Response:
    """Ask for an invoice, under a key of its own unless one is given."""
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


class Customers:
    """Customers who order and order, each until every order is acknowledged.

    `refused` holds the answers that were no invoice, `cut_off` counts those that never
    came, and `acknowledged` has the invoice of each key.
    """

    def __init__(self, client: AsyncClient, *, number: int = 8) -> None:
        self.client = client
        self.acknowledged: dict[str, str] = {}
        self.refused: list[Response] = []
        self.cut_off = 0
        self.leaving = False
        self.tasks = [asyncio.create_task(self.order_on(keys())) for _ in range(number)]

    async def order_on(self, keys: Iterator[str]) -> None:
        """Order under one key after the other until it is time to leave."""
        while not self.leaving:
            key = next(keys)
            while key not in self.acknowledged:
                await self.attempt(key)

    async def attempt(self, key: str) -> None:
        """Send an order once."""
        try:
            response = await order(self.client, key)
        except TransportError:
            self.cut_off += 1
        else:
            if response.status_code == 201:
                self.acknowledged[key] = response.json()["id"]
                return
            self.refused.append(response)
        await asyncio.sleep(PAUSE_SECONDS)

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait for something that only happens while everybody orders.

        Raises:
            TimeoutError: it never does, as where the service does not recover.
        """
        async with asyncio.timeout(PATIENCE):
            while not happened():
                for task in self.tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(PAUSE_SECONDS)

    async def progress(self, more: int = 20) -> None:
        """Wait until so many orders more are acknowledged."""
        goal = len(self.acknowledged) + more
        await self.until(lambda: len(self.acknowledged) >= goal)

    async def trouble(self) -> None:
        """Wait until one more order is refused, or not answered."""
        before = len(self.refused) + self.cut_off
        await self.until(lambda: len(self.refused) + self.cut_off > before)

    async def leave(self) -> None:
        """Let everybody finish their last order."""
        self.leaving = True
        await asyncio.gather(*self.tasks)


def keys() -> Iterator[str]:
    """Make the keys of one customer."""
    customer = uuid4()
    for number in count():
        yield f"{customer}-{number}"
