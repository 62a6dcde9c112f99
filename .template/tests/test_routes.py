"""Applications of a process share an analysis, and nothing that is their own."""

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from httpx2 import ASGITransport, AsyncClient

from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.feature import Feature
from my_app.core.platform.http.routes import flattened

from tests.core.platform.features import SampleFlags
from tests.core.platform.http.test_routes import get_number, outer

pytestmark = pytest.mark.anyio


@pytest.fixture
def router() -> APIRouter:
    return APIRouter()


def build(router: APIRouter) -> FastAPI:
    features = [Feature(name="nested", router=router)]
    return create_app(Settings(environment="test"), Flags(), features)


async def ask(app: FastAPI, path: str) -> object:
    transport = ASGITransport(app)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        return (await client.get(path)).json()


async def test_a_dependency_is_overridden_in_one_of_two_applications() -> None:
    app, other = build(outer), build(outer)
    app.dependency_overrides[get_number] = lambda: 2

    assert [await ask(it, "/outer/number") for it in (app, other)] == [2, 1]


def test_dependencies_of_an_application_are_those_of_its_routes_alone() -> None:
    own = Depends(SampleFlags)
    for app, expected in ((FastAPI(), []), (FastAPI(dependencies=[own]), [own])) * 2:
        for route in flattened(app, [outer]):
            assert isinstance(route, APIRoute)
            assert route.dependencies == expected


async def test_a_route_that_a_router_got_later_is_served(router: APIRouter) -> None:
    build(router)
    router.add_api_route("/late", lambda: 42)

    assert await ask(build(router), "/late") == 42


async def test_the_largest_body_of_a_route_is_its_own(router: APIRouter) -> None:
    router.add_api_route("/one", lambda: 1, max_body_size=1)
    router.add_api_route("/two", lambda: 2)
    for _ in range(2):
        app = build(router)
        limits = {
            it.path: it.max_body_size for it in app.routes if isinstance(it, APIRoute)
        }
        assert (limits["/one"], limits["/two"]) == (1, None)
        assert [await ask(app, path) for path in ("/one", "/two")] == [1, 2]
