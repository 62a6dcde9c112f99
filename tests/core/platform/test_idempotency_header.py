"""How an endpoint gets the idempotency key of its request, and documents it."""

import pytest
from fastapi import FastAPI

from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.idempotency_header import (
    DOCUMENTED_KEY,
    IdempotencyKey,
)

from tests.conftest import MakeClient


@pytest.fixture
def keyed(settings: Settings, flags: Flags) -> FastAPI:
    """An application whose one endpoint answers with the key that it was given."""
    app = create_app(settings, flags, [])

    @app.post("/keyed", openapi_extra=DOCUMENTED_KEY)
    async def keyed(key: IdempotencyKey) -> str:
        return key

    return app


async def test_an_endpoint_gets_the_key_without_its_quotes(
    keyed: FastAPI, make_client: MakeClient
) -> None:
    async with make_client(keyed) as client:
        response = await client.post("/keyed", headers={"Idempotency-Key": '"a-1"'})

    assert response.json() == "a-1"


async def test_a_request_without_a_key_is_400(
    keyed: FastAPI, make_client: MakeClient
) -> None:
    async with make_client(keyed) as client:
        response = await client.post("/keyed")

    assert response.status_code == 400
    assert response.json()["code"] == "idempotency_key_missing"


def test_the_key_is_documented(keyed: FastAPI) -> None:
    operation = keyed.openapi()["paths"]["/keyed"]["post"]
    assert [one["name"] for one in operation["parameters"]] == ["Idempotency-Key"]
