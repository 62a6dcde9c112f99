"""Every router's routes are served as if they stood in the application itself."""

from collections.abc import AsyncIterator
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from httpx2 import AsyncClient

from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.feature import Feature

from tests.conftest import MakeClient

inner = APIRouter(prefix="/inner")
outer = APIRouter(prefix="/outer")


@inner.get("/{number}")
async def double(number: int) -> int:
    """Calculate."""
    return 2 * number


async def get_number() -> int:
    """Provide a number."""
    return 1


@outer.get("/number")
async def answer(number: Annotated[int, Depends(get_number)]) -> int:
    """Return what a dependency says."""
    return number


outer.include_router(inner)
small = APIRouter()


@small.post("/small", max_body_size=1)
async def measure(request: Request) -> int:
    """Return the size of the body."""
    return len(await request.body())


@pytest.fixture
def app(settings: Settings, flags: Flags) -> FastAPI:
    routers = {"nested": outer, "small": small}
    features = [Feature(name=name, router=it) for name, it in routers.items()]
    return create_app(settings, flags, features)


@pytest.fixture
async def client(app: FastAPI, make_client: MakeClient) -> AsyncIterator[AsyncClient]:
    async with make_client(app) as client:
        yield client


async def test_a_router_inside_a_router_is_served(client: AsyncClient) -> None:
    assert (await client.get("/outer/inner/21")).json() == 42
    documented = (await client.get("/openapi.json")).text
    assert "/outer/inner/{number}" in documented
    assert '"head"' not in documented


async def test_its_template_is_whole_in_metrics_and_its_methods_are_known(
    client: AsyncClient,
) -> None:
    await client.get("/outer/inner/21")
    refused = await client.post("/outer/inner/21")

    assert 'route="/outer/inner/{number}"' in (await client.get("/metrics")).text
    assert refused.headers["allow"] == "GET, HEAD"


async def test_a_dependency_may_be_overridden(
    app: FastAPI, client: AsyncClient
) -> None:
    app.dependency_overrides[get_number] = lambda: 2

    assert (await client.get("/outer/number")).json() == 2


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/outer/inner/21"])
async def test_head_is_answered_as_get(client: AsyncClient, path: str) -> None:
    answers = [await client.request(method, path) for method in ("GET", "HEAD")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].headers["content-length"] == answers[1].headers["content-length"]


@pytest.mark.parametrize(("size", "status"), [(1, 200), (2, 413)])
async def test_a_route_may_take_less_than_the_others(
    client: AsyncClient, size: int, status: int
) -> None:
    response = await client.post("/small", content=b"x" * size)

    assert response.status_code == status
