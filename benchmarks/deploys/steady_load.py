"""Ask a service at a steady rate, whatever it answers, and count what was lost.

`python -m benchmarks.deploys.steady_load 127.0.0.1:8100 250`: address and requests a
second, until SIGTERM. Every other request uses a connection that is kept; five in a
second ask for `/slow`.
Prints how many were sent, how many were lost by which error, and the seconds, as JSON.
Where the server closed a kept connection while it was idle, the request is sent again,
as any client does; what is slow has a connection of its own.
"""

import asyncio
import json
import signal
import sys
from collections import Counter

OK = "200"
SLOW_EACH_SECOND = 5
SECONDS = 10.0


class Clients:
    """All requests, and the connections that are kept between them."""

    def __init__(self, address: str) -> None:
        self.host, _, self.port = address.partition(":")
        self.idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.sent = 0
        self.lost = Counter[str]()

    async def ask(self, path: str, *, keep: bool) -> None:
        """Send one request; anything but a complete 200 is lost."""
        self.sent += 1
        try:
            await asyncio.wait_for(self._ask(path, keep=keep), SECONDS)
        except (OSError, EOFError, ValueError) as error:
            self.lost[type(error).__name__] += 1

    async def _ask(self, path: str, *, keep: bool) -> None:
        idle = self._idle() if keep else None
        reader, writer = idle or await asyncio.open_connection(
            self.host, int(self.port)
        )
        kind = "keep-alive" if keep else "close"
        words = (
            f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: {kind}\r\n\r\n"
        )
        writer.write(words.encode())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            if idle and not getattr(error, "partial", b""):
                return await self._ask(path, keep=keep)
            raise
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        status = head.split()[1].decode()
        if status != OK:
            self.lost[status] += 1
        if keep:
            self.idle.append((reader, writer))
        else:
            writer.close()

    def _idle(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        while self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof():
                return reader, writer
        return None


async def main(address: str, rate: int) -> None:
    """Send requests until SIGTERM, and wait for those under way."""
    clients, over = Clients(address), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    begun, running = loop.time(), set[asyncio.Task[None]]()
    number = 0
    while not over.is_set():
        number += 1
        slow = number % (rate // SLOW_EACH_SECOND) == 0
        # Kept, those would be five more idle connections in each second.
        path, keep = "/slow" if slow else "/", number % 2 == 0 and not slow
        task = asyncio.create_task(clients.ask(path, keep=keep))
        running.add(task)
        task.add_done_callback(running.discard)
        await asyncio.sleep(max(0.0, begun + number / rate - loop.time()))
    seconds = loop.time() - begun
    await asyncio.gather(*running)
    print(json.dumps([clients.sent, clients.lost, seconds]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
