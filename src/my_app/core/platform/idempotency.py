"""Idempotency keys: a request that is sent again is answered again, not done again.

Follows draft-ietf-httpapi-idempotency-key-header, but for one thing: of two requests
with one key at the same time the second waits for the first and gets its answer, where
the draft allows to refuse it with 409.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, Request

from .errors import DomainError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_KEY_LENGTH = 255
FINGERPRINT_BYTES = 32

# Visible ASCII that needs no escape in a structured header's string, without what
# separates the values of a header. The draft's quotes around it may be left out, as
# most clients do.
KEY = rf"[!#-+\--:<-\[\]-~]{{1,{MAX_KEY_LENGTH}}}"
WRITTEN_KEY = re.compile(f'"({KEY})"|({KEY})')


class MissingKeyError(DomainError):
    """The request has no key."""

    status = 400
    code = "idempotency_key_missing"


class MalformedKeyError(DomainError):
    """The request has a key that cannot be one, or several."""

    status = 400
    code = "idempotency_key_malformed"


class KeyReusedError(DomainError):
    """The key belongs to a request with another body."""

    status = 422
    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A key, what was asked for under it, and when."""

    key: str
    fingerprint: bytes
    made_at: datetime


def read_key(written: Sequence[str]) -> str:
    """Read the key from the values of its header.

    Raises:
        MissingKeyError: there is none.
        MalformedKeyError: there are several, or this cannot be one.
    """
    if not written:
        raise MissingKeyError(
            f"Send an {HEADER} header with a value of your own, such as a UUID, "
            "and the same one again when you repeat the request."
        )
    if len(written) > 1:
        raise MalformedKeyError(f"Send one {HEADER} header, not several.")
    found = WRITTEN_KEY.fullmatch(written[0])
    if found is None:
        raise MalformedKeyError(
            f"{HEADER} is 1 to {MAX_KEY_LENGTH} characters of visible ASCII, "
            "without a backslash, a comma or a semicolon; a UUID will do."
        )
    return found[1] or found[2]


def fingerprint(content: Mapping[str, object]) -> bytes:
    """Sum up what a request asks for, however its JSON was written."""
    written = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return sha256(written.encode()).digest()


def is_over(earlier: Claim, now: datetime, lifetime: timedelta) -> bool:
    """Tell whether a key may be used for something else by now."""
    return now - earlier.made_at >= lifetime


def check_repeats(claim: Claim, earlier: Claim) -> None:
    """Make sure that `claim` asks for what was asked for earlier under its key.

    Raises:
        KeyReusedError: it asks for something else.
    """
    if claim.fingerprint != earlier.fingerprint:
        raise KeyReusedError(
            f"This {HEADER} was sent before with another body. "
            "Send a new key with a new request."
        )


async def get_idempotency_key(request: Request) -> str:
    """Return the key of this request.

    Read by hand: FastAPI answers a header that is missing with 422, the draft with 400.
    """
    return read_key(request.headers.getlist(HEADER))


IdempotencyKey = Annotated[str, Depends(get_idempotency_key)]

# For `openapi_extra` of an operation that asks for a key.
DOCUMENTED_KEY: dict[str, Any] = {
    "parameters": [
        {
            "name": HEADER,
            "in": "header",
            "required": True,
            "description": "A name of your own for this request, such as a UUID. "
            "Send the same one to repeat it: it is then done once and answered again.",
            "schema": {"type": "string", "pattern": f"^({WRITTEN_KEY.pattern})$"},
            "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
        }
    ]
}

# For `headers` of the response.
DOCUMENTED_REPLAYED: dict[str, Any] = {
    REPLAYED: {
        "description": "`true` where an earlier request had this key",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
