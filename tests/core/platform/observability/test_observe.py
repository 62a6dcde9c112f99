"""Every request has an id, a log line and metrics."""

import json
from pathlib import Path

import pytest
from httpx2 import AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from my_app.core.platform.request_id import VALID_REQUEST_ID

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
