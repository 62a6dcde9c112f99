"""Security headers."""

from base64 import b64encode
from hashlib import sha256

import pytest
from fastapi import FastAPI, Response
from httpx2 import AsyncClient

from my_app.config import Flags, Settings
from my_app.core.app import create_app

from tests.conftest import MakeClient


@pytest.mark.parametrize("path", ["/version", "/nowhere", "/docs", "/"])
async def test_every_response_has_security_headers(
    client: AsyncClient, path: str
) -> None:
    headers = (await client.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["strict-transport-security"] == "max-age=31536000"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy


async def test_the_landing_page_may_only_use_its_own_style(client: AsyncClient) -> None:
    response = await client.get("/")
    style = response.text.split("<style>")[1].split("</style>")[0]
    digest = b64encode(sha256(style.encode()).digest()).decode()

    policy = response.headers["content-security-policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "script-src" not in policy


async def test_a_proxy_may_send_the_headers_instead(
    flags: Flags, make_client: MakeClient
) -> None:
    settings = Settings(environment="test", security_headers=False)

    async with make_client(create_app(settings, flags, [])) as client:
        headers = (await client.get("/")).headers

    assert "content-security-policy" not in headers
    assert "x-content-type-options" not in headers


async def test_hsts_is_not_sent_with_an_age_of_zero(
    flags: Flags, make_client: MakeClient
) -> None:
    settings = Settings(environment="test", hsts_seconds=0)

    async with make_client(create_app(settings, flags, [])) as client:
        headers = (await client.get("/version")).headers

    assert "strict-transport-security" not in headers


async def test_an_endpoint_may_let_its_response_be_cached(
    app: FastAPI, make_client: MakeClient
) -> None:
    @app.get("/cached")
    async def cached(response: Response) -> None:
        response.headers["Cache-Control"] = "max-age=60"

    async with make_client(app) as client:
        response = await client.get("/cached")

    assert response.headers.get_list("cache-control") == ["max-age=60"]
