"""Upload a blob; after an interruption it is sent again."""

import os
from collections.abc import Callable
from typing import BinaryIO
from urllib.parse import urlencode, urljoin

from trunkline.registry.authorization import PUSH
from trunkline.registry.responses import (
    ACCEPTED,
    CREATED,
    FAILING,
    NO_CONTENT,
    NOT_FOUND,
    OK,
    RegistryError,
)
from trunkline.registry.transport import Transport

_TRIES = 4
# The registry has lost the upload, timed out, or has a part of it already.
_LOST = frozenset({400, NOT_FOUND, 408, 416})


def upload_blob(
    transport: Transport,
    address: str,
    file: BinaryIO,
    *,
    digest: str,
    stored: Callable[[], bool],
) -> None:
    """Send a file from its current position to its end.

    `address` starts uploads; `stored` checks whether the blob exists. Raises
    RegistryError if the registry does not accept it.
    """
    start = file.tell()
    size = file.seek(0, os.SEEK_END) - start
    for tries_left in reversed(range(_TRIES)):
        file.seek(start)
        begun = transport.request("POST", address, need=PUSH, expect={ACCEPTED})
        location = urljoin(address, begun.headers["Location"])
        mark = "&" if "?" in location else "?"
        try:
            transport.request(
                "PUT",
                f"{location}{mark}{urlencode({'digest': digest})}",
                need=PUSH,
                expect={OK, CREATED, NO_CONTENT},
                headers={
                    "Content-Type": "application/octet-stream",
                    "Content-Length": str(size),
                },
                body=file,
            )
        except RegistryError as error:
            if stored():
                return  # Only the response was lost.
            passing = error.status is None or error.status >= FAILING
            if not tries_left or not (passing or error.status in _LOST):
                raise
        else:
            return
