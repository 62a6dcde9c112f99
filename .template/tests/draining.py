"""Requests that are in flight while a container stops."""

import socket
from concurrent.futures import ThreadPoolExecutor

import containers as docker
from asking import get
from containers import Container

from tests.servers import PATIENCE

QUOTE = b'{"seats": 2, "currency": "EUR"}'
HEAD = (
    b"POST /billing/quotes HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(QUOTE)
)


def answers_while_stopping(container: Container, *, requests: int) -> list[bytes]:
    """Stop a container while bodies arrive; return what each request was answered."""
    port = container.port
    opened = [
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        for _ in range(requests)
    ]
    for connection in opened:
        connection.sendall(HEAD + QUOTE[:5])
    # Each has reached the service, as this one has, which came after them.
    get(port, "/healthz")
    with ThreadPoolExecutor() as pool:
        stopping = pool.submit(docker.run, "stop", container.name)
        container.wait_for_log("Shutting down")
        answers = [finish(connection) for connection in opened]
        stopping.result()
    return answers


def finish(connection: socket.socket) -> bytes:
    """Send the rest of a body; return the answer, nothing if the connection broke."""
    with connection:
        try:
            connection.sendall(QUOTE[5:])
            return connection.makefile("rb").read()
        except OSError:
            return b""
