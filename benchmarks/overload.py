"""Goodput under twice the load that a server can bear, with and without the bound."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

from benchmarks import machine, processes
from benchmarks.benchmark import Comparison
from benchmarks.samples import compared

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
        with served(BOUND) as port:
            best.append(asyncio.run(capacity(port)))
            ours.append(asyncio.run(goodput(port, 2 * best[-1])))
        with served(NO_BOUND) as port:
            without.append(asyncio.run(goodput(port, 2 * best[-1])))
    what = "goodput under twice the load"
    return [
        compared(what, "/s", peer="its best", ours=ours, theirs=best, bounded=True),
        compared(f"{what}, no bound", "/s", peer="its best", ours=without, theirs=best),
    ]


@contextmanager
def served(bound: str) -> Iterator[int]:
    """Run the service with a bound on requests in flight; yield its port."""
    port = processes.free_port()
    command = (sys.executable, "-m", "benchmarks.server", "ours", str(port))
    env = processes.environment(APP_ENVIRONMENT="staging", APP_MAX_REQUESTS=bound)
    with (
        TemporaryFile() as output,
        machine.pinned(machine.cpus().server),
        processes.started(command, env=env, output=output) as process,
    ):
        processes.wait_for(process, port, "/hello")
        yield port


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
