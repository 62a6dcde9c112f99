"""Malformed HTTP gets a problem document, like any other error."""

import asyncio
import json

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from my_app.core.platform.http.protocol import ProblemProtocol


async def answer_to(request: bytes) -> bytes:
    """Send bytes to a server with this protocol and return its response."""
    config = Config(
        "my_app.main:app",
        http=ProblemProtocol,
        log_config=None,
    )
    state = ServerState()
    config.http_protocol_class = ProblemProtocol
    config.loaded_app = lambda scope: None
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


@pytest.mark.parametrize("request_", [b"hello\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"])
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
