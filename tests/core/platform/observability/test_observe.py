"""Every request has an id, a log line and metrics."""

import asyncio
import json
from pathlib import Path

import pytest
from fastapi import BackgroundTasks, FastAPI, WebSocket
from httpx2 import AsyncClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.request_id import (
    VALID_REQUEST_ID,
)

from tests.core.platform.features import exchange

CONNECT: Message = {"type": "websocket.connect"}
COUNTED = "http_request_duration_seconds_count"


async def test_a_valid_request_id_is_kept(client: AsyncClient) -> None:
    response = await client.get("/healthz", headers={"x-request-id": "abc-123"})

    assert response.headers["x-request-id"] == "abc-123"


async def test_a_missing_request_id_is_generated(client: AsyncClient) -> None:
    given: list[dict[str, str]] = [{}, {"x-request-id": ""}]
    first, second = [await client.get("/healthz", headers=each) for each in given]

    assert len(first.headers["x-request-id"]) == 32
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


@pytest.mark.parametrize(
    "given_id", ["x" * 201, "x" * 5_000, "a\tb", "a b", 'a"b', "a\\b", "é"]
)
async def test_an_invalid_request_id_is_refused_under_a_new_one(
    client: AsyncClient, given_id: str
) -> None:
    headers = {b"x-request-id": given_id.encode()}
    response = await client.get("/healthz", headers=headers)

    assert response.status_code == 400
    assert response.json()["code"] == "invalid_request_id"
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert response.headers["x-request-id"] != given_id


@given(st.binary(max_size=250))
def test_a_valid_request_id_needs_no_escape_in_json(candidate: bytes) -> None:
    if VALID_REQUEST_ID.fullmatch(candidate):
        text = candidate.decode()
        assert json.dumps(text) == f'"{text}"'


async def test_with_several_workers_the_metrics_are_those_in_their_files(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))

    exposed = (await client.get("/metrics")).text
    assert "python_info" in exposed
    assert COUNTED not in exposed


async def test_requests_are_counted_by_route_and_status(client: AsyncClient) -> None:
    await client.get("/healthz")
    await client.get("/nowhere")
    await client.request("BREW", "/healthz")
    exposition = (await client.get("/metrics")).text

    assert f'{COUNTED}{{method="GET",route="/healthz",status="200"}} 1.0' in exposition
    assert f'{COUNTED}{{method="GET",route="unmatched",status="404"}} 1.0' in exposition
    assert f'{COUNTED}{{method="OTHER",route="/healthz",status="405"}}' in exposition


async def test_starting_and_stopping_are_no_requests(app: FastAPI) -> None:
    received = iter(["lifespan.startup", "lifespan.shutdown"])
    sent: list[str] = []

    async def receive() -> Message:
        return {"type": next(received)}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await app({"type": "lifespan", "state": {}}, receive, send)

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_background_task_is_not_part_of_the_duration(
    app: FastAPI,
) -> None:
    recorded: list[str] = []

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> None:
        tasks.add_task(
            lambda: recorded.append(app.state.context.metrics.expose().decode())
        )

    await exchange(app, "/later")

    assert f'{COUNTED}{{method="GET",route="/later",status="200"}} 1.0' in recorded[0]


async def test_a_websocket_has_an_id_a_line_and_a_metric(
    settings: Settings, flags: Flags, capsys: pytest.CaptureFixture[str]
) -> None:
    staging = settings.model_copy(update={"environment": "staging"})
    app = create_app(staging, flags, [])

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
