"""A token service for registries: it signs tokens, which the registry verifies."""

import base64
import json
import math
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from http_servers import QuietHandler, serving
from registries import PASSWORD, USER

ISSUER, SERVICE = "test-issuer", "test-registry"
# The registry accepts a token for this many seconds after it has expired.
LEEWAY = 60
IDENTITY = "identity-of-robot"


@dataclass(slots=True)
class TokenService:
    """The service: the lifetime of its tokens, and every requested scope."""

    key: Path
    certificate: Path
    realm: str = ""
    # Seconds until the registry rejects a token, and the lifetime that is reported.
    life: float = 300
    told_life: float | None = None
    # What an account may do, and what is allowed without an account.
    actions: tuple[str, ...] = ("pull", "push", "delete")
    anonymous: tuple[str, ...] = ("pull",)
    scopes: list[str] = field(default_factory=list)

    @property
    def auth(self) -> dict[str, Any]:
        """The configuration of a registry that trusts this service."""
        return {
            "token": {
                "realm": self.realm,
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(self.certificate),
            }
        }

    def answer(self, scope: str, *, known: bool) -> bytes:
        """Issue a token for the allowed part of a scope."""
        self.scopes.append(scope)
        kind, name, wanted = scope.split(":")
        allowed = self.actions if known else self.anonymous
        actions = [action for action in wanted.split(",") if action in allowed]
        now = time.time()
        token = self._sign(
            {
                "iss": ISSUER,
                "sub": USER,
                "aud": SERVICE,
                "exp": math.ceil(now + self.life - LEEWAY),
                "nbf": int(now - 10),
                "iat": int(now),
                "jti": secrets.token_hex(8),
                "access": [{"type": kind, "name": name, "actions": actions}],
            }
        )
        life = self.life if self.told_life is None else self.told_life
        return json.dumps({"token": token, "expires_in": life}).encode()

    def _sign(self, claims: dict[str, Any]) -> str:
        lines = self.certificate.read_text().splitlines()
        header = {"typ": "JWT", "alg": "RS256", "x5c": ["".join(lines[1:-1])]}
        text = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
        argv = ["openssl", "dgst", "-sha256", "-sign", str(self.key)]
        signed = subprocess.run(
            argv, input=text.encode(), capture_output=True, check=True
        )
        return f"{text}.{_base64(signed.stdout)}"


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@contextmanager
def running_token_service(folder: Path) -> Iterator[TokenService]:
    """Run a token service with a new key."""
    folder.mkdir(parents=True, exist_ok=True)
    service = TokenService(folder / "key.pem", folder / "certificate.pem")
    files = ["-keyout", str(service.key), "-out", str(service.certificate)]
    options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    argv = ["openssl", "req", *options, "-subj", "/CN=test", *files]
    subprocess.run(argv, capture_output=True, check=True)

    class Handler(_Handler):
        own = service

    with serving(Handler) as host:
        service.realm = f"http://{host}/token"
        yield service


class _Handler(QuietHandler):
    own: TokenService

    def do_GET(self) -> None:
        sent = self.headers.get("Authorization")
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        query = parse_qs(urlsplit(self.path).query)
        self._answer(query, known=sent == f"Basic {pair}", wrong=sent is not None)

    def do_POST(self) -> None:
        form = parse_qs(self.read_body().decode())
        known = form.get("refresh_token") == [IDENTITY]
        self._answer(form, known=known, wrong=True)

    def _answer(self, asked: dict[str, list[str]], *, known: bool, wrong: bool) -> None:
        refused = wrong and not known
        body = b"{}" if refused else self.own.answer(asked["scope"][0], known=known)
        self.reply(401 if refused else 200, {}, body)
