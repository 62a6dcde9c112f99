"""What never becomes a request gets a problem document, like any other error."""

import asyncio
import json

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from my_app.core.platform.http.protocol import (
    MAX_HEAD_BYTES,
    ProblemProtocol,
)
from my_app.core.platform.request_id import current_request_id

pytestmark = pytest.mark.anyio
GET = b"GET / HTTP/1.1\r\n"
UPGRADE = (
    b"Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def application(scope: Scope, _: Receive, send: Send) -> None:
    """Answer a request with 204, refuse a websocket."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})
    else:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


async def answer_to(request: bytes, app: ASGIApp = application) -> bytes:
    """Send bytes to a server with this protocol and return its response."""
    config = Config(
        "my_app.main:app",
        http=ProblemProtocol,
        log_config=None,
    )
    state = ServerState()
    config.http_protocol_class = ProblemProtocol
    config.load()
    config.loaded_app = app
    server = await asyncio.get_running_loop().create_server(
        lambda: ProblemProtocol(config, state, {}), "127.0.0.1", 0
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "request_",
    [b"hello\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"],
)
async def test_malformed_http_is_a_problem_and_closes_the_connection(
    request_: bytes,
) -> None:
    head, _, body = (await answer_to(request_)).partition(b"\r\n\r\n")
    document = json.loads(body)

    assert head.startswith(b"HTTP/1.1 400 Bad Request")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    assert document["code"] == "malformed_http"
    assert f"x-request-id: {document['request_id']}".encode() in head
    assert current_request_id() == ""


async def test_headers_without_end_are_refused() -> None:
    request = GET + b"x: y\r\n" * (MAX_HEAD_BYTES // 6 + 1)

    assert (await answer_to(request)).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"", b""),
        (GET + b"x: ", b"HTTP/1.1 408 Request Timeout"),
        (GET + b"Connection: close\r\n\r\n", b"HTTP/1.1 204 No Content"),
        (GET + UPGRADE, b"HTTP/1.1 403 Forbidden"),
    ],
)
async def test_a_connection_is_closed_if_the_headers_do_not_arrive(
    monkeypatch: pytest.MonkeyPatch, request_: bytes, answer: bytes
) -> None:
    monkeypatch.setattr(ProblemProtocol, "head_seconds", 0.2)

    head, *_ = (await answer_to(request_)).split(b"\r\n")
    assert head == answer
