"""A keep-alive HTTP client for machines without wrk: prints requests and seconds.

`python -m benchmarks.service.client 8000 1 32 REQUEST`: port, seconds, connections, and
the whole request, in which NUMBER is replaced by a new number each time.
"""

import asyncio
import itertools
import os
import re
import sys
from collections.abc import Iterator
from time import perf_counter
from typing import cast

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """Sends the next request once the previous answer is complete."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.requests = requests
        self.answers = 0
        self.received = b""
        self.failure = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        """Count a complete answer."""
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not end or length is None or len(body) < int(length[1]):
            return
        if not head.startswith(b"HTTP/1.1 20"):
            self.failure = head.decode("latin-1").splitlines()[0]
            self.transport.close()
            return
        self.answers += 1
        self.received = b""
        self.transport.write(next(self.requests))

    def connection_lost(self, exc: Exception | None) -> None:
        """Record that the server closed the connection, which is a failure."""
        self.failure = self.failure or f"connection lost: {exc}"


def numbered(request: str) -> Iterator[bytes]:
    """Yield requests with a number that is unique across runs."""
    run = os.urandom(8).hex().encode()
    template = request.encode()
    for number in itertools.count():
        yield template.replace(b"NUMBER", b"%b-%d" % (run, number))


async def main(port: int, seconds: float, connections: int, request: str) -> None:
    """Send requests over all connections at once, then print the count of answers."""
    requests = numbered(request)
    loop = asyncio.get_running_loop()
    begun = perf_counter()
    opened = [
        (await loop.create_connection(lambda: Connection(requests), "127.0.0.1", port))[
            1
        ]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds)
    took = perf_counter() - begun
    if failed := [connection.failure for connection in opened if connection.failure]:
        sys.exit(failed[0])
    print(sum(connection.answers for connection in opened), took)


if __name__ == "__main__":
    asyncio.run(
        main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    )
