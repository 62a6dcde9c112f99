"""Signing in at a provider, which here lies as a test wants."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx2 import Response
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from trunkline_desk import people
from trunkline_desk.claims import Role
from visitors import START, Visitor, Web

KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER = RSAKey.generate_key(2048, {"kid": "one"})
KNOWN = "/.well-known/openid-configuration"
SHARED = OctKey.import_key("the secret that both of us know")


class Provider(ThreadingHTTPServer):
    """An OpenID Connect provider."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.challenge = ""
        self.token = ""
        self.malformed: dict[str, Any] = {}


class Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        issuer = self.server.issuer
        known = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
        }
        keys = {"keys": [KEY.as_dict(private=False)]}
        answer = keys if self.path == "/keys" else known
        self.tell(200, self.server.malformed.get(self.path, answer))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        verifier = parse_qs(body)["code_verifier"][0]
        digest = hashlib.sha256(verifier.encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == (
            self.server.challenge
        ):
            token = {"access_token": "a", "token_type": "Bearer"}
            answer = token | {"id_token": self.server.token}
            self.tell(200, self.server.malformed.get(self.path, answer))
        else:
            self.tell(400, {"error": "invalid_grant"})

    def tell(self, status: int, body: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield one
        one.shutdown()
        thread.join()


@pytest.fixture
def web(tmp_path: Path, provider: Provider) -> Web:
    return Web(tmp_path, oidc={"issuer": provider.issuer, "client_id": "desk"})


def arrive(
    provider: Provider,
    visitor: Visitor,
    *,
    key: RSAKey | OctKey = KEY,
    algorithm: str = "RS256",
    **more: object,
) -> Response:
    """Go to the provider and come back with the token that it signs."""
    away = visitor.client.get("/sign-in/oidc").headers["location"]
    asked = {name: one[0] for name, one in parse_qs(urlsplit(away).query).items()}
    provider.challenge = asked["code_challenge"]
    claims = {
        "iss": provider.issuer,
        "aud": "desk",
        "sub": "1",
        "exp": 4_000_000_000,
        "iat": 1_700_000_000,
        "nonce": asked["nonce"],
        "email": "ana",
        "email_verified": True,
    } | more
    header = {"alg": algorithm, "kid": "one"}
    provider.token = jwt.encode(header, claims, key, algorithms=[algorithm])
    return visitor.client.get(f"/sign-in/back?state={asked['state']}&code=c")


def test_a_person_whom_the_desk_knows_has_her_role(
    web: Web, provider: Provider
) -> None:
    visitor = web.visitor()
    assert "Sign in at 127.0.0.1" in visitor.client.get("/sign-in").text
    answer = arrive(provider, visitor)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "ana · deployer" in visitor.page()


def test_a_person_whom_it_does_not_know_may_look(web: Web, provider: Provider) -> None:
    visitor = web.visitor()
    assert arrive(provider, visitor, email="lou@acme.example").status_code == 303
    assert "lou@acme.example · viewer" in visitor.page()
    # No password opens that account.
    for typed in ("", "lou"):
        answer = web.visitor().sign_in("lou@acme.example", typed)
        assert answer.status_code in {401, 422}
    with web.store.writing() as connection:
        people.add_account(connection, "lou@acme.example", "l", Role.RELEASER)
    assert "lou@acme.example · releaser" in visitor.page()


def test_who_was_removed_stays_outside(web: Web, provider: Provider) -> None:
    with web.store.writing() as connection:
        people.remove_account(connection, "ana")
    answer = arrive(provider, web.visitor())
    assert answer.status_code == 403
    assert "ana has no access here any more." in answer.text


@pytest.mark.parametrize(
    "lie",
    [
        {"key": OTHER},
        {"key": SHARED, "algorithm": "HS256"},
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"nonce": "of another attempt"},
        {"exp": START - 1e9},
        {"email_verified": False},
        {"email": ""},
        {"email": "a" * 101},
    ],
    ids=" ".join,
)
def test_a_token_that_lies_is_refused(
    web: Web, provider: Provider, lie: dict[str, Any]
) -> None:
    visitor = web.visitor()
    answer = arrive(provider, visitor, **lie)
    assert answer.status_code == 403
    assert "The provider did not confirm who you are." in answer.text
    assert visitor.client.get("/shop").status_code == 303


def test_an_answer_that_another_browser_asked_for_is_refused(
    web: Web, provider: Provider
) -> None:
    asked = urlsplit(web.visitor().client.get("/sign-in/oidc").headers["location"])
    state = parse_qs(asked.query)["state"][0]
    victim = web.visitor()
    path = f"/sign-in/back?state={state}&code=c"
    assert victim.client.get(path).status_code == 403
    victim.client.get("/sign-in/oidc")
    assert victim.client.get(path).status_code == 403
    assert victim.client.get("/sign-in/back?state=%C3%A9&code=c").status_code == 403


def test_a_provider_that_is_down_is_said(tmp_path: Path) -> None:
    web = Web(tmp_path, oidc={"issuer": "http://127.0.0.1:9", "client_id": "desk"})
    answer = web.visitor().client.get("/sign-in/oidc")
    assert answer.status_code == 502
    assert "http://127.0.0.1:9 does not answer." in answer.text


@pytest.mark.parametrize("said", [[], "no", 7, None, {}, {"keys": 1}])
@pytest.mark.parametrize(
    "path", ["/.well-known/openid-configuration", "/keys", "/token"]
)
def test_what_is_no_answer_of_a_provider_lets_nobody_in(
    web: Web, provider: Provider, path: str, said: object
) -> None:
    visitor = web.visitor()
    provider.malformed[path] = said
    if path == KNOWN:
        assert visitor.client.get("/sign-in/oidc").status_code == 502
    else:
        assert arrive(provider, visitor).status_code == 403
    assert visitor.client.get("/shop").headers["location"] == "/sign-in"
