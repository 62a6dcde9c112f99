"""A feature whose router is of `OncePerKey` creates once per key."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from fastapi import APIRouter, FastAPI, Response
from httpx2 import AsyncClient
from httpx2 import Response as Answer
from pydantic import BaseModel
from sqlalchemy import text

from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.db import database as platform
from my_app.core.platform.db.database import Session
from my_app.core.platform.db.engine import Database
from my_app.core.platform.feature import Feature
from my_app.core.platform.once import OncePerKey

from tests.conftest import MakeClient
from tests.plugins.databases import on

router = APIRouter(route_class=OncePerKey)


class Thing(BaseModel):
    """What is created; a negative one is refused by a response."""

    size: int = 1


@router.post("/things", status_code=201)
async def create_thing(thing: Thing, response: Response, session: Session) -> UUID:
    """Create a thing in the transaction of its key."""
    await session.execute(text("SELECT 1"))
    if thing.size < 0:
        response.status_code = 409
    return uuid4()


@router.post("/nothings", status_code=201)
async def create_nothing() -> UUID:
    """Create without a body."""
    return uuid4()


@router.post("/sizes")
async def measure(thing: Thing) -> int:
    """Create nothing."""
    return thing.size


@pytest.fixture
def app(settings: Settings, database: Database) -> FastAPI:
    things = Feature(name="things", router=router)
    return create_app(settings, Flags(), on(database, [platform.feature, things]))


@pytest.fixture
async def client(app: FastAPI, make_client: MakeClient) -> AsyncIterator[AsyncClient]:
    async with make_client(app) as client:
        yield client


async def post(client: AsyncClient, body: object, path: str = "/things") -> Answer:
    return await client.post(path, json=body, headers={"Idempotency-Key": '"a-1"'})


async def test_nobody_gets_the_response_to_somebody_else(client: AsyncClient) -> None:
    await post(client, {})
    headers = {"Idempotency-Key": "a-1", "X-Forwarded-User": "eve"}
    other = await client.post("/things", json={}, headers=headers)

    assert other.json()["code"] == "idempotency_key_reused"


async def test_a_repeated_request_gets_the_first_response(client: AsyncClient) -> None:
    first, again = [await post(client, body) for body in ({}, {"size": 1})]

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "Idempotency-Replayed" not in first.headers
    assert dict(again.headers) == {
        **first.headers,
        "x-request-id": again.headers["x-request-id"],
        "idempotency-replayed": "true",
    }


@pytest.mark.parametrize(
    ("body", "path"), [({"size": 2}, "/things"), ({}, "/things?a=1"), ({}, "/nothings")]
)
async def test_a_key_is_for_one_request(
    client: AsyncClient, body: object, path: str
) -> None:
    assert (await post(client, {})).status_code == 201
    other = await post(client, body, path)

    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("refused", [{"size": -1}, {"size": "much"}])
async def test_the_key_of_a_refused_request_may_be_reused(
    client: AsyncClient, refused: object
) -> None:
    assert (await post(client, refused)).is_client_error
    assert (await post(client, {})).status_code == 201


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([], "idempotency_key_missing"),
        (["a b"], "idempotency_key_malformed"),
        (["a", "b"], "idempotency_key_malformed"),
    ],
)
async def test_a_request_without_a_valid_key_is_400(
    client: AsyncClient, given: list[str], code: str
) -> None:
    headers = [("Idempotency-Key", key) for key in given]
    response = await client.post("/things", json={}, headers=headers)

    assert response.status_code == 400
    assert response.json()["code"] == code


async def test_what_creates_nothing_needs_no_key(client: AsyncClient) -> None:
    assert (await client.post("/sizes", json={})).json() == 1


async def test_the_key_is_documented_where_it_is_required(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    (key,) = paths["/things"]["post"]["parameters"]

    assert (key["name"], key["required"]) == ("Idempotency-Key", True)
    documented = paths["/things"]["post"]["responses"]["201"]
    assert "Idempotency-Replayed" in documented["headers"]
    assert "parameters" not in paths["/sizes"]["post"]
