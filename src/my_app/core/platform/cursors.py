"""Cursors: where a page of a list ended, as text that a caller can only give back.

A cursor holds the identifier of the last entry of a page and a checksum. What was cut
off, mistyped, or taken from another list is told from what this service gave out. It
is no secret and grants nothing: whoever works out the checksum can begin a page
anywhere in a list that they may read from its beginning.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from uuid import UUID

from .errors import DomainError

# 16 bytes and 8: a multiple of three, so that base64 needs no padding and has exactly
# one way to write them.
IDENTIFIER_BYTES = 16
CHECKSUM_BYTES = 8
CURSOR = re.compile(r"[A-Za-z0-9_-]{32}")


class InvalidCursorError(DomainError):
    """This cursor is none that the list has given out."""

    status = 400
    code = "invalid_cursor"


def encode(last: UUID, *, of: str) -> str:
    """Write the cursor that continues the list `of` after the entry `last`."""
    return urlsafe_b64encode(last.bytes + checksum(last.bytes, of)).decode()


def decode(cursor: str, *, of: str) -> UUID:
    """Return the entry after which the list `of` continues.

    Raises:
        InvalidCursorError: `encode` did not write this for this list.
    """
    if CURSOR.fullmatch(cursor):
        raw = urlsafe_b64decode(cursor)
        last, sum_ = raw[:IDENTIFIER_BYTES], raw[IDENTIFIER_BYTES:]
        if sum_ == checksum(last, of):
            return UUID(bytes=last)
    raise InvalidCursorError(
        "This cursor is not one that the list has given out. "
        "Take next_cursor as it is, or leave it out to begin anew."
    )


def checksum(data: bytes, of: str) -> bytes:
    """Sum up a position in the list `of`."""
    return blake2b(data, digest_size=CHECKSUM_BYTES, key=of.encode()).digest()
