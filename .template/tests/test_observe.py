"""What a request is, and when it ends: websockets, background tasks, the lifespan."""

import asyncio
import json

import pytest
from fastapi import BackgroundTasks, FastAPI, WebSocket
from starlette.types import Message

from my_app.config import Flags, Settings
from my_app.core.app import create_app

from tests.core.platform.features import exchange

pytestmark = pytest.mark.anyio
CONNECT: Message = {"type": "websocket.connect"}
COUNTED = "http_request_duration_seconds_count"


def service() -> FastAPI:
    """Build a service without features, which logs as on staging."""
    return create_app(Settings(environment="staging"), Flags(), [])


async def test_starting_and_stopping_are_no_requests() -> None:
    app = service()
    received = iter(["lifespan.startup", "lifespan.shutdown"])
    sent: list[str] = []

    async def receive() -> Message:
        return {"type": next(received)}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await app({"type": "lifespan", "state": {}}, receive, send)

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_background_task_is_not_part_of_the_duration() -> None:
    app = service()
    recorded: list[str] = []

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> None:
        tasks.add_task(
            lambda: recorded.append(app.state.context.metrics.expose().decode())
        )

    await exchange(app, "/later")

    assert f'{COUNTED}{{method="GET",route="/later",status="200"}} 1.0' in recorded[0]


async def test_a_websocket_has_an_id_a_line_and_a_metric(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = service()

    @app.websocket("/chat/{room}")
    async def chat(room: str, websocket: WebSocket) -> None:
        await websocket.accept()

    sent = await exchange(app, "/chat/one", kind="websocket", received=CONNECT)
    missing = await exchange(app, "/nowhere", kind="websocket", received=CONNECT)
    await asyncio.sleep(0)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    exposed = app.state.context.metrics.expose().decode()

    assert sent[0]["type"] == "websocket.accept"
    identifier = dict(sent[0]["headers"])[b"x-request-id"].decode()
    assert missing[0]["type"] == "websocket.close"
    assert [line["http.response.status_code"] for line in lines] == [101, 403]
    assert lines[0]["http.request.id"] == identifier
    assert lines[0]["http.route"] == "/chat/{room}"
    for counted in (
        'method="WEBSOCKET",route="/chat/{room}",status="101"',
        'method="WEBSOCKET",route="unmatched",status="403"',
    ):
        assert f"{COUNTED}{{{counted}}} 1.0" in exposed
