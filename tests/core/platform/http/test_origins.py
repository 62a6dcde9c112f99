"""Pages of other origins call the service if they may."""

from fastapi import APIRouter

from my_app.config import Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.feature import Feature

from tests.conftest import MakeClient


async def test_pages_of_an_allowed_origin_may_call(
    flags: Flags, make_client: MakeClient
) -> None:
    settings = Settings(environment="test", cors_origins=("https://app.example.com",))
    asking = {
        "origin": "https://app.example.com",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }

    own = Feature(name="own", router=APIRouter(), exposed_headers=("X-Own",))
    async with make_client(create_app(settings, flags, [own])) as client:
        preflight = await client.options("/version", headers=asking)
        error = await client.get("/nowhere", headers=asking)
        refused = await client.options(
            "/version", headers=asking | {"origin": "https://evil.com"}
        )
        other = await client.get("/version", headers={"origin": "https://evil.com"})

    allowed = "access-control-allow-origin"
    assert preflight.headers[allowed] == asking["origin"]
    assert error.headers[allowed] == asking["origin"]
    exposed = error.headers["access-control-expose-headers"]
    assert exposed == "Location, Retry-After, X-Request-ID, X-Own"
    assert allowed not in other.headers
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "cors_refused"
    assert "origin" in refused.json()["detail"]
    assert allowed not in refused.headers
