"""Requests are limited in size and time, and failures are answered."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from httpx2 import AsyncClient
from starlette.types import Message

from my_app.config import Flags, Settings
from my_app.core.app import create_app

from tests.conftest import MakeClient
from tests.core.platform.features import exchange, misbehaving

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(make_client: MakeClient) -> AsyncIterator[AsyncClient]:
    settings = Settings(
        environment="test", max_body_bytes=1000, request_timeout_seconds=0.5
    )
    async with make_client(create_app(settings, Flags(), [misbehaving])) as client:
        yield client


async def drip(*chunks: bytes, pause: float = 0) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(pause)
        yield chunk


async def test_a_request_over_the_limit_is_503_but_probes_are_answered() -> None:
    settings = Settings(environment="test", max_requests=2)
    app = create_app(settings, Flags(), [misbehaving])
    for _ in range(2):  # A request that ended makes room for another.
        busy = [asyncio.create_task(exchange(app, "/sleep")) for _ in range(2)]
        await asyncio.sleep(0)
        refused, document = await exchange(app, "/version")
        probe, _ = await exchange(app, "/healthz")
        for task in busy:
            task.cancel()
        await asyncio.wait(busy)

        assert (refused["status"], probe["status"]) == (503, 200)
        assert (b"retry-after", b"1") in refused["headers"]
        assert json.loads(document["body"])["code"] == "overloaded"


async def test_a_body_within_the_limit_passes(client: AsyncClient) -> None:
    for content in (b"x" * 1000, drip(b"x" * 500, b"x" * 500)):
        assert (await client.post("/echo", content=content)).json() == 1000


async def test_a_declared_body_over_the_limit_is_413(client: AsyncClient) -> None:
    response = await client.post("/echo", content=b"x" * 1001)

    assert response.status_code == 413
    assert response.json()["title"] == "Content Too Large"


async def test_a_chunked_body_over_the_limit_is_413(client: AsyncClient) -> None:
    response = await client.post("/echo", content=drip(b"x" * 600, b"x" * 600))

    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_body_that_does_not_arrive_is_408(client: AsyncClient) -> None:
    response = await client.post("/echo", content=drip(b"a", b"b", pause=2))

    assert response.status_code == 408
    assert response.headers["connection"] == "close"


async def test_a_response_that_does_not_start_is_503(client: AsyncClient) -> None:
    first = asyncio.create_task(client.get("/sleep"))
    await asyncio.sleep(0.4)
    response = await client.get("/sleep")

    assert response.status_code == (await first).status_code == 503
    assert response.json()["detail"].startswith("The service did not respond in time")


async def test_a_started_response_may_take_its_time(client: AsyncClient) -> None:
    response = await client.get("/stream", params={"seconds": 1})

    assert response.text == "begun ended"


async def test_a_handler_may_still_respond_after_its_deadline(
    client: AsyncClient,
) -> None:
    response = await client.get("/stubborn")

    assert response.json() == "still here"
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


async def test_other_cancellations_are_propagated(client: AsyncClient) -> None:
    with pytest.raises(asyncio.CancelledError):
        await client.get("/cancelled")


async def test_a_request_that_outlives_the_servers_grace_is_503() -> None:
    app = create_app(Settings(environment="test"), Flags(), [misbehaving])
    sent: list[Message] = []

    async def note(message: Message) -> None:
        sent.append(message)

    request = asyncio.create_task(exchange(app, "/sleep", on_send=note))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request

    assert sent[0]["status"] == 503
    assert (b"connection", b"close") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["detail"].startswith("This process is stopping")


async def test_an_unhandled_exception_is_500_without_its_message(
    client: AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    response = await client.get("/crash")

    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in response.text
    assert "Traceback" not in response.text
    assert response.json()["request_id"] == response.headers["x-request-id"]


async def test_a_failure_half_way_truncates_the_response() -> None:
    app = create_app(Settings(environment="test"), Flags(), [misbehaving])

    sent = await exchange(app, "/stream", query=b"fail=true")

    assert [message.get("more_body") for message in sent] == [None, True]


async def test_a_disconnected_client_gets_no_response() -> None:
    app = create_app(Settings(environment="test"), Flags(), [misbehaving])
    leaving: Message = {"type": "http.disconnect"}

    length = [(b"content-length", b"10")]
    sent = await exchange(app, "/leave", headers=length, received=leaving)

    assert sent == []


async def test_other_protocols_pass_through() -> None:
    app = create_app(Settings(environment="test"), Flags(), [])
    connecting: Message = {"type": "websocket.connect"}

    sent = await exchange(app, "/", kind="websocket", received=connecting)

    assert [message["type"] for message in sent] == ["websocket.close"]
