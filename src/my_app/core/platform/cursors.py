"""Pagination cursors: the position where a page ended, as opaque text.

A cursor holds the identifier of the last item of a page and a checksum, which detects
cursors that were truncated, mistyped or taken from another list. A cursor is no secret
and grants no access: forging one only starts a page elsewhere in a list that the caller
may read anyway.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from uuid import UUID

from .errors import DomainError

# 24 bytes in total, a multiple of three: base64 needs no padding and each cursor has
# exactly one encoding.
IDENTIFIER_BYTES = 16
CHECKSUM_BYTES = 8
CURSOR = re.compile(r"[A-Za-z0-9_-]{32}")


class InvalidCursorError(DomainError):
    """The cursor was not issued by this list."""

    status = 400
    code = "invalid_cursor"


def encode(last: UUID, *, of: str) -> str:
    """Return the cursor that continues the list `of` after the item `last`."""
    return urlsafe_b64encode(last.bytes + checksum(last.bytes, of)).decode()


def decode(cursor: str, *, of: str) -> UUID:
    """Return the item after which the list `of` continues.

    Raises:
        InvalidCursorError: `encode` did not issue it for this list.
    """
    if CURSOR.fullmatch(cursor):
        raw = urlsafe_b64decode(cursor)
        last, sum_ = raw[:IDENTIFIER_BYTES], raw[IDENTIFIER_BYTES:]
        if sum_ == checksum(last, of):
            return UUID(bytes=last)
    raise InvalidCursorError(
        "This cursor was not issued by this list. "
        "Send next_cursor unchanged, or omit it to start from the first page."
    )


def checksum(data: bytes, of: str) -> bytes:
    """Return the checksum of a position in the list `of`."""
    return blake2b(data, digest_size=CHECKSUM_BYTES, key=of.encode()).digest()
