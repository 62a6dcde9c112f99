"""Every router's routes are served as if they stood in the application itself."""

from collections.abc import AsyncIterator

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from httpx2 import AsyncClient

from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.context import CurrentFlags, get_flags
from my_app.core.platform.feature import Feature
from my_app.core.platform.http.routes import flattened

from tests.conftest import MakeClient
from tests.core.platform.features import SampleFlags

inner = APIRouter(prefix="/inner")
outer = APIRouter(prefix="/outer")


@inner.get("/{number}")
async def double(number: int) -> int:
    """Calculate."""
    return 2 * number


@outer.get("/flags")
async def flagged(flags: CurrentFlags) -> list[str]:
    """List the flags."""
    return [*flags.enabled()]


outer.include_router(inner)


@pytest.fixture
def app(settings: Settings, flags: Flags) -> FastAPI:
    return create_app(settings, flags, [Feature(name="nested", router=outer)])


@pytest.fixture
async def client(app: FastAPI, make_client: MakeClient) -> AsyncIterator[AsyncClient]:
    async with make_client(app) as client:
        yield client


async def test_a_router_inside_a_router_is_served(client: AsyncClient) -> None:
    assert (await client.get("/outer/inner/21")).json() == 42
    assert "/outer/inner/{number}" in (await client.get("/openapi.json")).text


async def test_its_template_is_whole_in_metrics_and_its_methods_are_known(
    client: AsyncClient,
) -> None:
    await client.get("/outer/inner/21")
    refused = await client.post("/outer/inner/21")

    assert 'route="/outer/inner/{number}"' in (await client.get("/metrics")).text
    assert refused.headers["allow"] == "GET, HEAD"


async def test_a_dependency_may_be_overridden_in_one_of_two_applications(
    app: FastAPI, settings: Settings, flags: Flags, make_client: MakeClient
) -> None:
    other = create_app(settings, flags, [Feature(name="nested", router=outer)])
    app.dependency_overrides[get_flags] = SampleFlags

    for each, overridden in ((app, True), (other, False)):
        async with make_client(each) as client:
            found = (await client.get("/outer/flags")).json()
            assert ("ENABLE_SAMPLE" in found) == overridden


def test_dependencies_of_an_application_are_those_of_its_routes_alone() -> None:
    own = Depends(SampleFlags)
    for app, expected in ((FastAPI(), []), (FastAPI(dependencies=[own]), [own])) * 2:
        for route in flattened(app, [outer]):
            assert isinstance(route, APIRoute)
            assert route.dependencies == expected


async def test_a_route_that_is_added_to_a_router_is_served_from_then_on(
    settings: Settings, flags: Flags, make_client: MakeClient
) -> None:
    router = APIRouter()
    features = [Feature(name="growing", router=router)]
    create_app(settings, flags, features)
    router.add_api_route("/late", lambda: 42)

    async with make_client(create_app(settings, flags, features)) as client:
        assert (await client.get("/late")).json() == 42


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/outer/inner/21"])
async def test_head_is_answered_as_get(client: AsyncClient, path: str) -> None:
    answers = [await client.request(method, path) for method in ("GET", "HEAD")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].headers["content-length"] == answers[1].headers["content-length"]


async def test_head_is_not_documented(client: AsyncClient) -> None:
    assert '"head"' not in (await client.get("/openapi.json")).text
