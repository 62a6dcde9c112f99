"""Authorize requests as a registry demands: not at all, by password or by token."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Protocol
from urllib.parse import urlencode

from trunkline.registry.credentials import Credentials
from trunkline.registry.reference import ImageName

# The rights that a task needs, as the token specification spells them.
PULL, PUSH, DELETE = "pull", "pull,push", "delete"
# Seconds: a token without a stated lifetime expires after a minute; tokens are renewed
# a little early.
_LIFE = 60.0
_EARLY = 5.0
_PARAMETER = re.compile(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class AskTokenService(Protocol):
    """Send one request to a token service and return the body of its response."""

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None
    ) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Challenge:
    """The header `WWW-Authenticate` of a refusal."""

    scheme: str
    parameters: Mapping[str, str]

    @classmethod
    def parse(cls, header: str) -> "Challenge":
        """Read `Bearer realm="…",service="…",scope="…"` or `Basic realm="…"`."""
        scheme, _, rest = header.strip().partition(" ")
        found = _PARAMETER.findall(rest)
        return cls(scheme.lower(), {key.lower(): a or b for key, a, b in found})


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and when it expires by the monotonic clock."""

    header: str = field(repr=False)
    end: float


class Authorization:
    """Provide each request with its header, as learned from refused requests."""

    def __init__(
        self,
        name: ImageName,
        find: Callable[[], Credentials | None],
        ask: AskTokenService,
    ) -> None:
        self.name = name
        self._find = find
        self._ask = ask
        self._lock = RLock()
        self._looked = False
        self._credentials: Credentials | None = None
        self._challenge: Challenge | None = None
        self._tokens: dict[str, Token] = {}

    @property
    def credentials(self) -> Credentials | None:
        """The credentials, looked up when first needed: a helper may take a while."""
        with self._lock:
            if not self._looked:
                self._credentials, self._looked = self._find(), True
            return self._credentials

    def header(self, need: str) -> str | None:
        """Return `Authorization` for a task; None before any request was refused."""
        with self._lock:
            if self._challenge is None:
                return None
            if self._challenge.scheme == "basic":
                return self.credentials.basic if self.credentials else None
            token = self._tokens.get(need)
            if token is None or time.monotonic() >= token.end:
                token = self._tokens[need] = self._fetch(self._challenge, need)
            return token.header

    def refused(self, sent: str | None, challenge: str | None, need: str) -> bool:
        """Learn from a refused request; returns whether retrying it makes sense."""
        if challenge is None:
            return False
        with self._lock:
            self._challenge = Challenge.parse(challenge)
            if self._challenge.scheme == "basic":
                return sent is None and self.credentials is not None
            token = self._tokens.get(need)
            if token is not None and token.header == sent:
                del self._tokens[need]
            return self._challenge.scheme == "bearer"

    def _fetch(self, challenge: Challenge, need: str) -> Token:
        asked = time.monotonic()
        text, life = read_token(self._ask_for_token(challenge, need))
        return Token(f"Bearer {text}", asked + max(life - _EARLY, life / 2))

    def _ask_for_token(self, challenge: Challenge, need: str) -> bytes:
        realm = challenge.parameters.get("realm", "")
        query = {"scope": f"repository:{self.name.path}:{need}"}
        if service := challenge.parameters.get("service"):
            query["service"] = service
        who = self.credentials
        if who and who.identity_token:
            query |= {"grant_type": "refresh_token", "client_id": "trunkline"}
            form = urlencode({**query, "refresh_token": who.identity_token})
            return self._ask("POST", realm, headers=_FORM, body=form.encode())
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
        headers = {"Authorization": who.basic} if who else {}
        return self._ask("GET", url, headers=headers, body=None)


def read_token(response: bytes) -> tuple[str, float]:
    """Take the token, and its life in seconds, out of a token service's response.

    An unreadable response gives an empty token, which the registry refuses.
    """
    try:
        found = json.loads(response)
        text = found.get("token") or found["access_token"]
        return str(text), float(found.get("expires_in") or _LIFE)
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", _LIFE
