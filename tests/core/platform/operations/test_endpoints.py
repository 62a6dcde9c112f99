"""Endpoints for operators, and the landing page."""

from importlib.metadata import version

import pytest
from fastapi import APIRouter, FastAPI
from httpx2 import AsyncClient

from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.feature import Feature, NotReadyError

from tests.conftest import MakeClient
from tests.core.platform.features import SampleFlags

STAGING = {
    "commit": "4f1c2d3e4b5a",
    "branch": "feat/<b>",
    "built_at": "2026-11-21T10:00:00Z",
}


@pytest.fixture
def staging() -> Settings:
    return Settings.model_validate({"environment": "staging", **STAGING})


async def test_version_identifies_the_build(
    staging: Settings, make_client: MakeClient
) -> None:
    flags = SampleFlags(ENABLE_SAMPLE=True)
    async with make_client(create_app(staging, flags, [])) as client:
        answer = (await client.get("/version")).json()

    assert answer == {
        "version": version("my-app"),
        "environment": "staging",
        "flags": flags.enabled(),
        **STAGING,
    }


async def test_the_page_identifies_the_build_and_links_the_docs(
    staging: Settings, make_client: MakeClient
) -> None:
    flags = SampleFlags(ENABLE_SAMPLE=True)
    async with make_client(create_app(staging, flags, [])) as client:
        response = await client.get("/")

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for fact in (
        version("my-app"),
        "4f1c2d3e4b5a",
        "feat/&lt;b&gt;",
        "staging",
    ):
        assert fact in response.text
    assert "ENABLE_SAMPLE" in response.text
    assert '<a href="docs">' in response.text


async def test_the_page_loads_no_external_resources(client: AsyncClient) -> None:
    page = (await client.get("/")).text

    assert "http:" not in page
    assert "https:" not in page
    assert "<script" not in page


async def test_every_link_of_the_page_works(client: AsyncClient) -> None:
    page = (await client.get("/")).text
    links = [part.split('"')[0] for part in page.split('<a href="')[1:]]

    for link in links:
        assert (await client.get(f"/{link}")).status_code == 200
    assert len(links) == 6


async def test_the_documentation_says_what_it_needs(client: AsyncClient) -> None:
    page = (await client.get("/docs")).text

    assert "SwaggerUIBundle(" in page
    assert "loads Swagger UI from cdn.jsdelivr.net" in page


async def test_what_is_not_served_here_is_not_linked(make_client: MakeClient) -> None:
    settings = Settings(environment="test", docs=False, metrics_port=9100)
    hidden = ("/docs", "/openapi.json", "/metrics")
    async with make_client(create_app(settings, Flags(), [])) as client:
        answers = [await client.get(path) for path in hidden]
        page = (await client.get("/")).text

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert "docs" not in page.replace("docs off", "")
    assert "openapi" not in page
    assert "metrics" not in page


async def test_production_hides_its_flags(make_client: MakeClient) -> None:
    settings = Settings(environment="production", allowed_hosts=("test",))
    flags = SampleFlags(ENABLE_SAMPLE=True)
    async with make_client(create_app(settings, flags, [])) as client:
        answer = (await client.get("/version")).json()
        page = (await client.get("/")).text

    assert "flags" not in answer
    assert "ENABLE_SAMPLE" not in page


async def test_metrics_identify_the_build(
    staging: Settings, flags: Flags, make_client: MakeClient
) -> None:
    async with make_client(create_app(staging, flags, [])) as client:
        response = await client.get("/metrics")

    assert response.headers["content-type"].startswith("text/plain")
    assert 'build_info{branch="feat/<b>",commit="4f1c2d3e4b5a"' in response.text
    assert "process_cpu_seconds_total" in response.text


async def test_a_service_whose_check_fails_is_not_ready(
    settings: Settings, flags: Flags, make_client: MakeClient
) -> None:
    async def pump(_: FastAPI) -> None:
        raise NotReadyError("no water")

    shop = Feature(name="shop", router=APIRouter(), checks=(pump,))
    async with make_client(create_app(settings, flags, [shop])) as client:
        response = await client.get("/readyz")

    assert (response.status_code, response.json()["code"]) == (503, "not_ready")
    assert "no water" in response.text
