"""Requests as bytes, for servers whose answers a client would not accept."""

import socket

from tests.servers import PATIENCE


def ask(port: int, request: bytes, *, patience: float = PATIENCE) -> bytes:
    """Send bytes and return everything until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


def get(port: int, path: str, *headers: str) -> bytes:
    """Request a path over a connection that closes afterwards."""
    lines = [f"GET {path} HTTP/1.1", "Host: test", "Connection: close", *headers]
    return ask(port, ("\r\n".join(lines) + "\r\n\r\n").encode())
