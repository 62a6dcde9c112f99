"""The access log: one line per finished request."""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from time import time
from typing import BinaryIO, Protocol

import structlog
from starlette.types import Scope

from ....config import Settings
from ..build import service_fields
from .logs import ECS_VERSION
from .telemetry import is_traced, trace_ids

SERVER_ERROR = 500
# Stands for the method of a websocket's handshake, whose scope has none.
WEBSOCKET = "WEBSOCKET"


class AccessLog(Protocol):
    """Records finished requests."""

    def write(
        self, scope: Scope, route: str, status: int, seconds: float, request_id: str
    ) -> None:
        """Record a request: its route template, status, duration and id."""


def access_log(settings: Settings) -> AccessLog:
    """Choose the format of the access log as `configure_logging` does for the rest."""
    if settings.logs_for_people:
        return ConsoleAccessLog()
    ids = trace_ids if is_traced(settings) else None
    return EcsAccessLog(sys.stdout.buffer, service_fields(settings), trace_ids=ids)


class ConsoleAccessLog:
    """For people at a terminal, in the style of the other lines."""

    def __init__(self) -> None:
        self._log = structlog.stdlib.get_logger("access")

    def write(
        self, scope: Scope, route: str, status: int, seconds: float, request_id: str
    ) -> None:
        """Log method, path, status and milliseconds."""
        method, path = scope.get("method", WEBSOCKET), scope["path"]
        # A terminal would obey control characters.
        shown = path if path.isprintable() else repr(path)
        self._log.log(
            40 if status >= SERVER_ERROR else 20,
            f"{method} {shown} {status}",
            ms=round(seconds * 1000, 1),
            request_id=request_id,
        )


class EcsAccessLog:
    """For machines: JSON with the field names of the Elastic Common Schema.

    Lines are assembled by hand: a logging library costs several times as much, a tenth
    of the total cost of a small request. The lines of one iteration of the event loop
    are written in a single call at its end.
    """

    def __init__(
        self,
        stream: BinaryIO,
        service: Mapping[str, str],
        *,
        trace_ids: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        self._stream = stream
        self._trace_ids = trace_ids
        self._lines: list[str] = []
        fields = {"ecs.version": ECS_VERSION} | {
            f"service.{key}": value for key, value in service.items()
        }
        self._end = f",{json.dumps(fields, separators=(',', ':'))[1:]}\n"
        self._timestamp = ""

    def write(
        self, scope: Scope, route: str, status: int, seconds: float, request_id: str
    ) -> None:
        """Queue one line; it is written before the event loop waits again."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self.flush)
            self._timestamp = timestamp(time())
        method, client = scope.get("method", WEBSOCKET), scope["client"]
        trace = ""
        if self._trace_ids:
            ids = self._trace_ids().items()
            trace = "".join(f'"{key}":"{value}",' for key, value in ids)
        self._lines.append(
            f'{{"@timestamp":"{self._timestamp}",'
            f"{render_request(method, scope['path'], route, status)},"
            f'"event.duration":{int(seconds * 1e9)},'
            f"{trace}"
            # A proxy may have taken it from a header.
            f'"client.ip":{quoted(client[0] if client else "")},'
            f'"http.request.id":"{request_id}"{self._end}'
        )

    def flush(self) -> None:
        """Write the queued lines."""
        lines, self._lines = self._lines, []
        # As in the logging module, a full disk must not stop the service.
        with suppress(OSError):
            self._stream.write("".join(lines).encode())
            self._stream.flush()


# Most requests repeat an earlier one, except for the client and the duration.
@lru_cache(maxsize=1024)
def render_request(method: str, path: str, route: str, status: int) -> str:
    """Render a request and its status as members of a JSON object."""
    fields: dict[str, str | int] = {
        "log.level": "error" if status >= SERVER_ERROR else "info",
        "log.logger": "access",
        "message": f"{method} {path} {status}",
        "http.request.method": method,
        "url.path": path,
        "http.route": route,
        "http.response.status_code": status,
    }
    return json.dumps(fields, separators=(",", ":"))[1:-1]


def timestamp(now: float) -> str:
    """Format seconds since the epoch as UTC, to the millisecond."""
    seconds, milliseconds = divmod(int(now * 1000), 1000)
    return f"{to_the_second(seconds)}.{milliseconds:03}Z"


@lru_cache(maxsize=1)
def to_the_second(seconds: int) -> str:
    """Format all of a timestamp that the requests of a second have in common."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00")
