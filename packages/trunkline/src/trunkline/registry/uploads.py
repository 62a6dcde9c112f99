"""Upload a blob as a stream, resuming after an interruption."""

import os
import re
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
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]+)")
# The registry has lost the upload, timed out, or is at another offset.
_LOST = frozenset({NOT_FOUND, 408, 416})


class Upload:
    """A resumable blob upload, starting at the file's current position."""

    def __init__(
        self,
        transport: Transport,
        address: str,
        file: BinaryIO,
        *,
        digest: str,
        stored: Callable[[], bool],
    ) -> None:
        """`address` starts uploads; `stored` checks whether the blob exists."""
        self.transport = transport
        self.address = address
        self.file = file
        self.digest = digest
        self.stored = stored
        self.start = file.tell()
        self.size = file.seek(0, os.SEEK_END) - self.start

    def run(self) -> None:
        """Send everything; raises RegistryError if the registry does not accept it."""
        location, offset = self._begin(), 0
        for tries_left in reversed(range(_TRIES)):
            try:
                if offset < self.size:
                    location = self._send(location, offset)
                self._finish(location)
            except RegistryError as error:
                if self.stored():
                    return  # Only the response was lost.
                passing = error.status is None or error.status >= FAILING
                if not tries_left or not (passing or error.status in _LOST):
                    raise
                location, offset = self._resume(location)
            else:
                return

    def _begin(self) -> str:
        response = self.transport.request(
            "POST", self.address, need=PUSH, expect={ACCEPTED}
        )
        return urljoin(self.address, response.headers["Location"])

    def _send(self, location: str, offset: int) -> str:
        self.file.seek(self.start + offset)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(self.size - offset),
        }
        if offset:
            headers["Content-Range"] = f"{offset}-{self.size - 1}"
        response = self.transport.request(
            "PATCH",
            location,
            need=PUSH,
            expect={ACCEPTED, CREATED, NO_CONTENT},
            headers=headers,
            body=self.file,
        )
        return urljoin(location, response.headers.get("Location", location))

    def _finish(self, location: str) -> None:
        mark = "&" if "?" in location else "?"
        self.transport.request(
            "PUT",
            f"{location}{mark}{urlencode({'digest': self.digest})}",
            need=PUSH,
            expect={OK, CREATED, NO_CONTENT},
            headers={"Content-Length": "0"},
        )

    def _resume(self, location: str) -> tuple[str, int]:
        """Ask for the upload's progress; start another one if it was lost."""
        try:
            response = self.transport.request(
                "GET", location, need=PUSH, expect={OK, ACCEPTED, NO_CONTENT}
            )
        except RegistryError:
            return self._begin(), 0
        end = _RANGE.fullmatch(response.headers.get("Range", ""))
        # "0-0" may mean no byte or one byte.
        if end is None or end[1] == "0":
            return self._begin(), 0
        location = urljoin(location, response.headers.get("Location", location))
        return location, int(end[1]) + 1
