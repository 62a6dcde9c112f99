"""Whose headers say who calls: those of a trusted proxy that authenticates."""

import pytest
from fastapi import APIRouter
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from my_app.config import Environment, Flags, Settings
from my_app.core.app import create_app
from my_app.core.platform.context import CurrentActor
from my_app.core.platform.feature import Feature
from test_protocol import answer_to

pytestmark = pytest.mark.anyio
router = APIRouter()
ANN = b"X-Forwarded-User: ann\r\n"
ROLES = b"X-Forwarded-Groups: it,, sales \r\n"


@router.get("/me")
async def me(actor: CurrentActor) -> str:
    """Say who asks."""
    return f"{actor.id}: {','.join(sorted(actor.roles))}"


async def asked(
    headers: bytes,
    *,
    proxies: str = "127.0.0.0/8",
    authenticates: bool = True,
    environment: Environment = "staging",
) -> str:
    """Ask the service, behind or as a proxy, who asks."""
    settings = Settings(environment=environment, proxy_authenticates=authenticates)
    app = create_app(settings, Flags(), [Feature(name="me", router=router)])
    request = b"GET /me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + headers
    served = ProxyHeadersMiddleware(app, trusted_hosts=proxies)  # type: ignore[arg-type]
    answer = await answer_to(request + b"\r\n", served)  # type: ignore[arg-type]
    return answer.decode().rpartition("\r\n\r\n")[2].strip('"')


@pytest.mark.parametrize(
    ("headers", "who"),
    [
        (ANN + ROLES, "ann: it,sales"),
        # The client is then the one of this header, and no longer the proxy.
        (ANN + ROLES + b"X-Forwarded-For: 192.0.2.1\r\n", "ann: it,sales"),
        (ANN, "ann: "),
        (b"", ": "),
        (ROLES, ": "),
        (ROLES + b"X-Forwarded-User:\r\n", ": "),
        (ANN + ROLES + ROLES, ": "),
        (ANN + ANN, ": "),
    ],
)
async def test_a_trusted_proxy_says_who_asks(headers: bytes, who: str) -> None:
    assert await asked(headers) == who


async def test_nobody_else_is_believed() -> None:
    forged = ANN + ROLES + b"X-Forwarded-For: 10.0.0.7\r\n"

    assert await asked(forged, proxies="10.0.0.0/8") == ": "
    assert await asked(ANN + ROLES, authenticates=False) == ": "


async def test_a_developer_may_be_anybody() -> None:
    who = await asked(ANN, authenticates=False, environment="development")

    assert who == "ann: "
