"""The service accepts its own host names only."""

import pytest

from my_app.config import Flags, Settings
from my_app.core.app import create_app

from tests.conftest import MakeClient
from tests.core.platform.features import exchange


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("api.example.com", 200),
        ("API.example.com:8443", 200),
        ("eu.example.net", 200),
        ("[::1]:8000", 200),
        ("example.net", 400),
        ("evil.com", 400),
        ("api.example.com.evil.com", 400),
        ("", 400),
    ],
)
async def test_only_allowed_hosts_are_accepted(
    flags: Flags, make_client: MakeClient, host: str, status: int
) -> None:
    hosts = ("api.example.com", "*.example.net", "[::1]")
    settings = Settings(environment="test", allowed_hosts=hosts)

    async with make_client(create_app(settings, flags, [])) as client:
        response = await client.get("/version", headers={"host": host})

    assert response.status_code == status
    if status == 400:
        assert response.json()["code"] == "unknown_host"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_probes_may_use_an_ip_address(
    flags: Flags, make_client: MakeClient, path: str
) -> None:
    settings = Settings(environment="test", allowed_hosts=("api.example.com",))

    async with make_client(create_app(settings, flags, [])) as client:
        response = await client.get(path, headers={"host": "10.0.0.7:8000"})

    assert response.status_code == 200


async def test_a_request_without_a_host_is_refused(flags: Flags) -> None:
    settings = Settings(environment="test", allowed_hosts=("api.example.com",))

    for kind in ("http", "websocket"):
        app = create_app(settings, flags, [])
        start, *_ = await exchange(app, "/version", kind=kind)
        assert start["status"] == 400
