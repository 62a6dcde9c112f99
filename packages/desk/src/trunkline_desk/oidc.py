"""Sign in with an OpenID Connect provider; needs the extra `oidc`."""

import asyncio
import os
import secrets

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client.errors import MismatchingStateError
from authlib.integrations.starlette_client import (
    StarletteIntegration,
    StarletteOAuth2App,
)
from fastapi import APIRouter, FastAPI, Request, Response
from httpx2 import HTTPError
from joserfc.errors import JoseError
from starlette.middleware.sessions import SessionMiddleware

from trunkline_desk import people
from trunkline_desk.services import Desk
from trunkline_desk.web import AnyVisit, again, welcome

router = APIRouter()
BACK = "/sign-in/back"
# Seconds that somebody may take at the provider.
PATIENCE = 600
# Neither "none" nor an algorithm with a shared key.
_ALGORITHMS = ["RS256", "PS256", "ES256"]
_FAULTS = (
    *(AuthlibBaseError, HTTPError, JoseError, RuntimeError, ValueError),
    # An answer of another shape than a provider's.
    *(AttributeError, LookupError, TypeError),
)


def install(app: FastAPI, desk: Desk) -> None:
    """Add the pages, and the cookie that binds an answer to the browser that asked."""
    app.add_middleware(
        SessionMiddleware,
        # The provider's secret is known to every process of the desk.
        secret_key=f"sign-in {_secret(desk) or secrets.token_urlsafe()}",
        session_cookie=desk.cookie("oidc"),
        max_age=PATIENCE,
        # Not strict, because the provider redirects from another site.
        same_site="lax",
        https_only=desk.secure,
    )
    app.include_router(router)


@router.get("/sign-in/oidc")
def leave(visit: AnyVisit) -> Response:
    """Redirect the browser to the provider."""
    back = visit.desk.url.rstrip("/") + BACK
    away = _client(visit.desk).authorize_redirect(visit.request, back)
    try:
        found: Response = asyncio.run(away)
    except _FAULTS:
        said = f"{visit.desk.oidc['issuer']} does not answer. Try again later."
        return again(visit, said, 502)
    return found


@router.get(BACK)
def arrive(visit: AnyVisit) -> Response:
    """Begin the session of the person that the provider names."""
    try:
        name = asyncio.run(_name(visit.request, visit.desk))
    except MismatchingStateError:
        return again(visit, "This was not begun here. Sign in again.", 403)
    except _FAULTS:
        return again(visit, "The provider did not confirm who you are.", 403)
    with visit.store.writing() as connection:
        if not people.admit(connection, visit.desk, name):
            return again(visit, f"{name} has no access here any more.", 403)
        secret = people.begin_session(connection, name, "oidc", visit.now)
    return welcome(visit.desk, secret)


async def _name(request: Request, desk: Desk) -> str:
    """Return the person's name in the store; raises one of _FAULTS.

    Authlib fetches the token, and checks who signed it and for which attempt.
    """
    client = _client(desk)
    known = await client.load_server_metadata()
    known["id_token_signing_alg_values_supported"] = _ALGORITHMS
    expected = {
        "iss": {"essential": True, "value": desk.oidc["issuer"]},
        "aud": {"essential": True, "value": desk.oidc["client_id"]},
    }
    token = await client.authorize_access_token(
        request, claims_options=expected, leeway=60
    )
    claims = token["userinfo"]
    claim = desk.oidc.get("claim", "email")
    if claim == "email" and claims.get("email_verified") is not True:
        raise ValueError(claim)
    name = claims[claim]
    if not isinstance(name, str) or not 0 < len(name) <= people.LONGEST_NAME:
        raise ValueError(claim)
    return name


def _client(desk: Desk) -> StarletteOAuth2App:
    issuer = desk.oidc["issuer"].rstrip("/")
    return StarletteOAuth2App(
        StarletteIntegration("desk"),
        client_id=desk.oidc["client_id"],
        client_secret=_secret(desk),
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "timeout": 10,
        },
    )


def _secret(desk: Desk) -> str:
    return os.environ.get(desk.oidc.get("secret", ""), "")
