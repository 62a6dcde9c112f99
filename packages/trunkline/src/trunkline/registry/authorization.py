"""Authorize requests as a registry demands: not at all, by password or by token."""

import json
import re
import time
from collections.abc import Callable, Mapping
from functools import cache
from threading import RLock
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
_CHALLENGE = re.compile(rf"(\w+)((?:[\s,]+{_PARAMETER.pattern})*)")
_TOKEN = re.compile(r"[!-~]+")
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


# Sends a request (method, address, headers, body) to a token service and returns the
# token of its response, with its life in seconds.
type AskTokenService = Callable[
    [str, str, Mapping[str, str], bytes | None], tuple[str, float]
]


class Authorization:
    """Provide each request with its header, as learned from refused requests."""

    def __init__(
        self,
        name: ImageName,
        find: Callable[[], Credentials | None],
        ask: AskTokenService,
    ) -> None:
        self.name = name
        self._find = cache(find)
        self._ask = ask
        self._lock = RLock()
        # The scheme that the registry demands, and its parameters.
        self._challenge: tuple[str, Mapping[str, str]] | None = None
        # The header for each task, and when it expires by the monotonic clock.
        self._tokens: dict[str, tuple[str, float]] = {}

    @property
    def credentials(self) -> Credentials | None:
        """The credentials, looked up when first needed: a helper may take a while."""
        with self._lock:
            return self._find()

    def header(self, need: str) -> str | None:
        """Return `Authorization` for a task; None before any request was refused."""
        with self._lock:
            if self._challenge is None:
                return None
            scheme, parameters = self._challenge
            if scheme == "basic":
                return self.credentials.basic if self.credentials else None
            header, end = self._tokens.get(need, ("", 0))
            if time.monotonic() >= end:
                asked = time.monotonic()
                text, life = self._ask_for_token(parameters, need)
                header = f"Bearer {text}"
                self._tokens[need] = header, asked + max(life - _EARLY, life / 2)
            return header

    def refused(self, sent: str | None, challenge: str | None, need: str) -> bool:
        """Learn from a refused request; returns whether retrying it makes sense."""
        if challenge is None:
            return False
        with self._lock:
            self._challenge = scheme, _ = parse_challenge(challenge)
            if scheme == "basic":
                return sent is None and self.credentials is not None
            if sent == self._tokens.get(need, ("", 0))[0]:
                del self._tokens[need]
            return scheme == "bearer"

    def _ask_for_token(
        self, parameters: Mapping[str, str], need: str
    ) -> tuple[str, float]:
        realm = parameters.get("realm", "")
        query = {"scope": f"repository:{self.name.path}:{need}"}
        if service := parameters.get("service"):
            query["service"] = service
        who = self.credentials
        if who and who.identity_token:
            query |= {"grant_type": "refresh_token", "client_id": "trunkline"}
            form = urlencode({**query, "refresh_token": who.identity_token})
            return self._ask("POST", realm, _FORM, form.encode())
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
        headers = {"Authorization": who.basic} if who else {}
        return self._ask("GET", url, headers, None)


def parse_challenge(header: str) -> tuple[str, Mapping[str, str]]:
    """Read `Bearer realm="…",service="…",scope="…"` or `Basic realm="…"`.

    Of several, such as Gitea's two, a token is preferred to a password.
    """
    found = {it[1].lower(): it[2] for it in _CHALLENGE.finditer(header)}
    scheme = next((it for it in ("bearer", "basic") if it in found), "")
    parameters = _PARAMETER.findall(found.get(scheme, ""))
    return scheme, {key.lower(): a or b for key, a, b in parameters}


def read_token(response: bytes) -> tuple[str, float]:
    """Take the token, and its life in seconds, out of a token service's response.

    Raises one of the errors in MALFORMED.
    """
    found = json.loads(response)
    text = found.get("token") or found["access_token"]
    if not _TOKEN.fullmatch(text):
        raise ValueError("a token that no header can hold")
    return text, float(found.get("expires_in") or _LIFE)
