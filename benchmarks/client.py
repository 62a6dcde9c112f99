"""A keep-alive HTTP client for where wrk is missing: prints requests and seconds."""

import asyncio
import re
import sys
from time import perf_counter
from typing import cast

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last one is complete."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.answers = 0
        self.received = b""
        self.failure = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Count a complete answer."""
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not end or length is None or len(body) < int(length[1]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.failure = head.decode("latin-1").splitlines()[0]
            self.transport.close()
            return
        self.answers += 1
        self.received = b""
        self.transport.write(self.request)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember that the server closed, which it has no reason to."""
        self.failure = self.failure or f"connection lost: {exc}"


async def main(port: int, path: str, seconds: float, connections: int) -> None:
    """Ask over all connections at once, then print what was answered."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    begun = perf_counter()
    opened = [
        (await loop.create_connection(lambda: Connection(request), "127.0.0.1", port))[
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
        main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
    )
