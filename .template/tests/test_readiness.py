"""Readiness runs each check with a timeout and caches the results briefly."""

import asyncio
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.feature import (
    Check,
    Feature,
    NotReadyError,
)
from test_logs import logging_as_it_was

from tests.conftest import MakeClient

__all__ = ["logging_as_it_was"]

pytestmark = pytest.mark.anyio


async def fine(_: FastAPI) -> None:
    """Answer."""


async def broken(_: FastAPI) -> None:
    """Fail with a confidential message."""
    raise ConnectionError("redis://user:secret@host")


async def behind(_: FastAPI) -> None:
    """Fail with a public reason."""
    raise NotReadyError("the queue is behind")


async def hanging(_: FastAPI) -> None:
    """Never answer."""
    await asyncio.sleep(60)


def app_with(*checks: Check, cache_seconds: float = 0) -> FastAPI:
    settings = Settings(
        environment="test",
        readiness_timeout_seconds=0.05,
        readiness_cache_seconds=cache_seconds,
    )
    feature = Feature(name="store", router=APIRouter(), checks=checks)
    return create_app(settings, Flags(), [feature])


async def test_ready_when_every_check_passes(make_client: MakeClient) -> None:
    async with make_client(app_with(fine)) as client:
        response = await client.get("/readyz")

    assert response.json() == {"status": "ready", "checks": {"store.fine": "ok"}}


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (broken, "failed: ConnectionError"),
        (behind, "the queue is behind"),
        (hanging, "no answer within 0.05 s"),
    ],
)
async def test_not_ready_when_one_check_fails(
    make_client: MakeClient, check: Check, reason: str
) -> None:
    async with make_client(app_with(fine, check)) as client:
        response = await client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["code"] == "not_ready"
    assert response.json()["errors"] == [
        {"pointer": f"/checks/store.{check.__name__}", "detail": reason}
    ]
    assert "secret" not in response.text


async def test_an_outage_is_logged_when_it_begins_and_when_it_ends(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "my_app")
    outages = iter([True, True, True, False, False])

    async def flaky(_: FastAPI) -> None:
        if next(outages):
            raise ConnectionError("no route")

    async with make_client(app_with(flaky)) as client:
        for _ in range(5):
            await client.get("/readyz")

    lines: list[Any] = [
        record.msg for record in caplog.records if "readiness" in record.name
    ]
    assert [line["event"] for line in lines] == ["not ready", "ready again"]
    assert lines[0]["cause"] == "ConnectionError: no route"


async def test_results_are_cached_and_shared(make_client: MakeClient) -> None:
    asked = 0

    async def counted(_: FastAPI) -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)

    async with make_client(app_with(counted, cache_seconds=60)) as client:
        await asyncio.gather(*(client.get("/readyz") for _ in range(10)))

    assert asked == 1


async def test_alive_although_not_ready(make_client: MakeClient) -> None:
    async with make_client(app_with(broken)) as client:
        response = await client.get("/healthz")

    assert response.json() == {"status": "ok"}


async def test_stopping_is_not_ready(make_client: MakeClient) -> None:
    app = app_with(fine)
    async with make_client(app) as client:
        app.state.context.readiness.stopping = True
        response = await client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["errors"][0]["detail"] == "stopping"
