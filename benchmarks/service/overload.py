"""Goodput under twice the load that a server can bear, with and without the bound."""

import asyncio

from benchmarks.harness.benchmark import Comparison
from benchmarks.harness.samples import compared
from benchmarks.service.servers import served

# What is asked for can be answered 200 times a second; a client waits for a second.
PATH = "/work"
PATIENCE = 1.0
SECONDS = 5
BOUND = "50"
NO_BOUND = "1000000"


def run(rounds: int) -> list[Comparison]:
    """Compare the goodput of twice the load with the best that was seen."""
    best, ours, without = [], [], []
    for _ in range(rounds):
        with served("ours", "/hello", APP_MAX_REQUESTS=BOUND) as (_, port, _):
            best.append(asyncio.run(capacity(port)))
            ours.append(asyncio.run(goodput(port, 2 * best[-1])))
        with served("ours", "/hello", APP_MAX_REQUESTS=NO_BOUND) as (_, port, _):
            without.append(asyncio.run(goodput(port, 2 * best[-1])))
    what = "goodput under twice the load"
    return [
        compared(what, "/s", peer="its best", ours=ours, theirs=best, bounded=True),
        compared(f"{what}, no bound", "/s", peer="its best", ours=without, theirs=best),
    ]


async def capacity(port: int) -> float:
    """Return the answers per second to a few clients that ask one after another."""
    loop = asyncio.get_running_loop()
    end = loop.time() + SECONDS

    async def ask_repeatedly() -> int:
        answered = 0
        while loop.time() < end:
            answered += await ask(port)
        return answered

    return sum(await asyncio.gather(*(ask_repeatedly() for _ in range(8)))) / SECONDS


async def goodput(port: int, rate: float) -> float:
    """Send requests at a rate, whatever the answers; return the good ones a second."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    asked: list[asyncio.Task[bool]] = []
    while (passed := loop.time() - begun) < SECONDS:
        while len(asked) < passed * rate:
            asked.append(loop.create_task(ask(port)))
        await asyncio.sleep(0.002)
    return sum(await asyncio.gather(*asked)) / SECONDS


async def ask(port: int) -> bool:
    """Return whether a request is answered with 200 in time."""
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {PATH} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            status = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in status
