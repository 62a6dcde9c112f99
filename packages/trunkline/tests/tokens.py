"""A token service as registries use one: it signs tokens, which the registry checks."""

import base64
import json
import math
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from registries import PASSWORD, USER

ISSUER, SERVICE = "test-issuer", "test-registry"
# The registry accepts a token for that many seconds after its end.
LEEWAY = 60
IDENTITY = "identity-of-robot"


@dataclass(slots=True)
class TokenService:
    """The service: how long its tokens live, and every scope that it was asked for."""

    key: Path
    certificate: Path
    realm: str = ""
    # Seconds until the registry refuses a token, and what the answer says of that.
    life: float = 300
    told_life: float | None = None
    # What an account may do, and what nobody needs an account for.
    actions: tuple[str, ...] = ("pull", "push", "delete")
    anonymous: tuple[str, ...] = ("pull",)
    scopes: list[str] = field(default_factory=list)

    @property
    def auth(self) -> dict[str, Any]:
        """The configuration of a registry that believes this service."""
        return {
            "token": {
                "realm": self.realm,
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(self.certificate),
            }
        }

    def answer(self, scope: str, *, known: bool) -> bytes:
        """Make a token for what is allowed of a scope."""
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
    """Run a token service with a new key of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    service = TokenService(folder / "key.pem", folder / "certificate.pem")
    files = ["-keyout", str(service.key), "-out", str(service.certificate)]
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=test",
            *files,
        ],
        capture_output=True,
        check=True,
    )

    class Handler(_Handler):
        own = service

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    service.realm = f"http://127.0.0.1:{listener.server_address[1]}/token"
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    own: TokenService

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        sent = self.headers.get("Authorization")
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        query = parse_qs(urlsplit(self.path).query)
        self._answer(query, known=sent == f"Basic {pair}", wrong=sent is not None)

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = parse_qs(text)
        known = form.get("refresh_token") == [IDENTITY]
        self._answer(form, known=known, wrong=True)

    def _answer(self, asked: dict[str, list[str]], *, known: bool, wrong: bool) -> None:
        refused = wrong and not known
        body = b"{}" if refused else self.own.answer(asked["scope"][0], known=known)
        self.send_response(401 if refused else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
