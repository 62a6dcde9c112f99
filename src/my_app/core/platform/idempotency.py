"""The keys of requests: their syntax, and what counts as the same request.

Follows draft-ietf-httpapi-idempotency-key-header with one difference: of two concurrent
requests with the same key, the second waits for the first and gets its response. The
draft allows refusing it with 409.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from .errors import DomainError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_KEY_LENGTH = 255
FINGERPRINT_BYTES = 32

# Visible ASCII that needs no escaping in a structured header string, without the
# characters that separate header values. The quotes that the draft requires are
# optional, because most clients omit them.
KEY = rf"[!#-+\--:<-\[\]-~]{{1,{MAX_KEY_LENGTH}}}"
HEADER_VALUE = re.compile(f'"({KEY})"|({KEY})')


class MissingKeyError(DomainError):
    """The request has no key."""

    status = 400
    code = "idempotency_key_missing"


class MalformedKeyError(DomainError):
    """The request has several keys or an invalid one."""

    status = 400
    code = "idempotency_key_malformed"


class KeyReusedError(DomainError):
    """The key belongs to another request."""

    status = 422
    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A key, what was requested with it, and when."""

    key: str
    fingerprint: bytes
    made_at: datetime


def parse_key(values: Sequence[str]) -> str:
    """Parse the key from the values of its header.

    Raises:
        MissingKeyError: there is none.
        MalformedKeyError: there are several, or it is invalid.
    """
    if not values:
        raise MissingKeyError(
            f"Send an {HEADER} header with a unique value, such as a UUID, "
            "and the same value again when you retry the request."
        )
    if len(values) > 1:
        raise MalformedKeyError(f"Send a single {HEADER} header.")
    found = HEADER_VALUE.fullmatch(values[0])
    if found is None:
        raise MalformedKeyError(
            f"{HEADER} must be 1 to {MAX_KEY_LENGTH} visible ASCII characters without "
            "quotes, backslashes, commas or semicolons; for example, a UUID."
        )
    return found[1] or found[2]


def fingerprint(content: object) -> bytes:
    """Hash the content of a request, independent of its JSON formatting."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).digest()


def is_expired(earlier: Claim, now: datetime, lifetime: timedelta) -> bool:
    """Return whether a key may be used for another request by now."""
    return now - earlier.made_at >= lifetime


def check_same_request(claim: Claim, earlier: Claim) -> None:
    """Check that a key is used for the same request as before.

    Raises:
        KeyReusedError: the request differs.
    """
    if claim.fingerprint != earlier.fingerprint:
        raise KeyReusedError(
            f"This {HEADER} was already used with a different request. "
            "Use a new key for a new request."
        )


# In OpenAPI, as a parameter of the request and as headers of the response.
DOCUMENTED_KEY: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "description": "A unique value for this request, such as a UUID. Send "
    "the same value to retry safely: the request is executed only once.",
    "schema": {"type": "string", "pattern": f"^({HEADER_VALUE.pattern})$"},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
DOCUMENTED_REPLAYED: dict[str, Any] = {
    REPLAYED: {
        "description": "`true` if an earlier request had this key",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
