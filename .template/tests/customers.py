"""Customers that keep ordering invoices while something breaks.

A customer without a response, or with a 503, retries the same order with the same key.
"""

import asyncio
from collections.abc import Callable, Iterator
from itertools import count
from uuid import uuid4

from httpx2 import AsyncClient, Response, TransportError

from tests.core.billing.test_invoice_endpoints import order
from tests.servers import PATIENCE

PAUSE_SECONDS = 0.01


class Customers:
    """Customers who keep ordering and retry each order until it is acknowledged.

    `refused` holds the error responses, `cut_off` counts missing responses, and
    `acknowledged` maps each key to its invoice.
    """

    def __init__(self, client: AsyncClient, *, number: int = 8) -> None:
        self.client = client
        self.acknowledged: dict[str, str] = {}
        self.refused: list[Response] = []
        self.cut_off = 0
        self.leaving = False
        self.tasks = [asyncio.create_task(self.order_on(keys())) for _ in range(number)]

    async def order_on(self, keys: Iterator[str]) -> None:
        """Send one order after another until it is time to leave."""
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
        """Wait for something to happen while everybody keeps ordering.

        Raises:
            TimeoutError: it did not happen, for example because nothing recovered.
        """
        async with asyncio.timeout(PATIENCE):
            while not happened():
                for task in self.tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(PAUSE_SECONDS)

    async def progress(self, more: int = 20) -> None:
        """Wait until `more` further orders are acknowledged."""
        goal = len(self.acknowledged) + more
        await self.until(lambda: len(self.acknowledged) >= goal)

    async def trouble(self) -> None:
        """Wait until another order is refused or cut off."""
        before = len(self.refused) + self.cut_off
        await self.until(lambda: len(self.refused) + self.cut_off > before)

    async def leave(self) -> None:
        """Let everybody finish their last order."""
        self.leaving = True
        await asyncio.gather(*self.tasks)


def keys() -> Iterator[str]:
    """Generate the keys of one customer."""
    customer = uuid4()
    for number in count():
        yield f"{customer}-{number}"
