"""Signing in at an OpenID Connect provider; needs the extra `oidc`."""

import os
import secrets
from dataclasses import dataclass
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from httpx2 import HTTPError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from trunkline_desk import entrance, people
from trunkline_desk.services import Desk
from trunkline_desk.web import DeskOf, Now, StoreOf

router = APIRouter()
BACK = "/sign-in/back"
# How long somebody may take at the provider.
PATIENCE = 600
# Neither "none", nor one whose key the provider shares with us.
_ALGORITHMS = ["RS256", "PS256", "ES256"]
_FAULTS = (AuthlibBaseError, HTTPError, JoseError, KeyError, ValueError)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What ties an answer of the provider to the browser that asked."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def read(cls, cookie: str) -> "Attempt | None":
        """Read it from the cookie."""
        parts = cookie.split(".")
        return cls(*parts) if len(parts) == 3 and all(parts) else None  # noqa: PLR2004


@router.get("/sign-in/oidc")
def leave(request: Request, desk: DeskOf) -> Response:
    """Send a browser to the provider."""
    attempt = Attempt(*(secrets.token_urlsafe(32) for _ in range(3)))
    try:
        with _client(desk) as client:
            endpoint = _metadata(client, desk)["authorization_endpoint"]
            address, _ = client.create_authorization_url(
                endpoint,
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
            )
    except _FAULTS:
        said = f"{desk.oidc['issuer']} does not answer. Try again later."
        return entrance.again(request, said, 502)
    response = RedirectResponse(address, 303)
    value = f"{attempt.state}.{attempt.nonce}.{attempt.verifier}"
    # Lax: the way back begins at another site.
    response.set_cookie(
        *(desk.cookie("oidc"), value),
        max_age=PATIENCE,
        secure=desk.secure,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get(BACK)
def arrive(
    request: Request,
    desk: DeskOf,
    store: StoreOf,
    now: Now,
    state: str = "",
    code: str = "",
) -> Response:
    """Begin the session of whom the provider names to this browser."""
    attempt = Attempt.read(request.cookies.get(desk.cookie("oidc"), ""))
    if attempt is None or not secrets.compare_digest(
        attempt.state.encode(), state.encode()
    ):
        return entrance.again(request, "This was not begun here. Sign in again.", 403)
    try:
        name = _name(_claims(desk, attempt, code), desk)
    except _FAULTS:
        return entrance.again(request, "The provider did not confirm who you are.", 403)
    with store.writing() as connection:
        if not people.admit(connection, desk, name):
            return entrance.again(request, f"{name} has no access here any more.", 403)
        secret = people.begin_session(connection, name, "oidc", now)
    response = entrance.welcome(desk, secret)
    response.delete_cookie(
        desk.cookie("oidc"), secure=desk.secure, httponly=True, samesite="lax"
    )
    return response


def _claims(desk: Desk, attempt: Attempt, code: str) -> dict[str, Any]:
    """Fetch the token, and check who signed it, for whom, and for which attempt."""
    with _client(desk) as client:
        known = _metadata(client, desk)
        answer = client.fetch_token(
            known["token_endpoint"], code=code, code_verifier=attempt.verifier
        )
        keys = _read(client, known["jwks_uri"])
    found = jwt.decode(
        answer["id_token"], KeySet.import_key_set(keys), algorithms=_ALGORITHMS
    )
    expected = {
        "iss": {"essential": True, "value": desk.oidc["issuer"]},
        "aud": {"essential": True, "value": desk.oidc["client_id"]},
    }
    ours = {"nonce": attempt.nonce, "client_id": desk.oidc["client_id"]}
    claims = CodeIDToken(found.claims, found.header, expected, ours)
    claims.validate(leeway=60)
    return dict(claims)


def _name(claims: dict[str, Any], desk: Desk) -> str:
    """Return the name by which the store knows a person; raises ValueError."""
    claim = desk.oidc.get("claim", "email")
    if claim == "email" and claims.get("email_verified") is not True:
        raise ValueError(claim)
    name = claims[claim]
    if not isinstance(name, str) or not 0 < len(name) <= people.LONGEST_NAME:
        raise ValueError(claim)
    return name


def _client(desk: Desk) -> OAuth2Client:
    return OAuth2Client(
        desk.oidc["client_id"],
        os.environ.get(desk.oidc.get("secret", ""), ""),
        scope="openid email profile",
        redirect_uri=desk.url.rstrip("/") + BACK,
        code_challenge_method="S256",
        timeout=10,
    )


def _metadata(client: OAuth2Client, desk: Desk) -> dict[str, Any]:
    issuer = desk.oidc["issuer"]
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    found: dict[str, Any] = _read(client, address)
    if found["issuer"] != issuer:
        raise ValueError(issuer)
    return found


def _read(client: OAuth2Client, address: str) -> Any:  # noqa: ANN401 - JSON
    answer = client.request("GET", address, withhold_token=True)
    return answer.raise_for_status().json()
