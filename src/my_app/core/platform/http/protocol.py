"""Problem documents for requests that never reach the application."""

import json
from asyncio import TimerHandle, Transport

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ..request_id import new_request_id, request_id
from .headers import FROM_PROXY
from .problems import ProblemResponse, problem_content

log = structlog.stdlib.get_logger("access")

# Twice what nginx accepts by default, and more than any browser sends.
MAX_HEAD_BYTES = 65_536


class ProblemProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with limits on request line and headers.

    What is malformed, too large or too slow gets a problem document, and the connection
    is closed: nothing after it is readable.
    """

    head_seconds = 10.0
    _timer: TimerHandle
    _head_bytes = 0
    _watched: object = "nothing yet"

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Watch the connection with one timer, not with one for each request."""
        super().connection_made(transport)
        # uvicorn's list; of a request only the client that the proxy names is left.
        proxies = getattr(self.app, "trusted_hosts", ())
        sent = (self.client and self.client[0]) in proxies
        self.app_state = self.app_state | {FROM_PROXY: sent}
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        self._timer.cancel()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Stop watching: the connection gets another protocol."""
        self._timer.cancel()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        """Bound the size of an incomplete head."""
        super().data_received(data)
        # uvicorn begins a scope with each request and adds the method after its head.
        begun = self.scope and "method" not in self.scope
        if begun and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                detail = f"The headers may take {MAX_HEAD_BYTES} bytes."
                self.refuse(431, "headers_too_large", detail)
        else:
            self._head_bytes = 0

    def _watch(self) -> None:
        """Close the connection if its head was incomplete at the last look, too."""
        waiting = not self.scope or "method" not in self.scope
        if waiting and self._watched is self.scope:
            if self.scope:
                detail = "The headers did not arrive in time."
                self.refuse(408, "request_timeout", detail)
            self.transport.close()
            return
        self._watched = self.scope if waiting else self
        self._timer = self.loop.call_later(self.head_seconds / 2, self._watch)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self.refuse(400, "malformed_http", msg)

    def refuse(self, status: int, code: str, detail: str) -> None:
        """Respond under an id of its own and close the connection."""
        identifier = new_request_id()
        token = request_id.set(identifier)
        client = self.client and self.client[0]
        log.info("request refused", status=status, code=code, client=client)
        content = problem_content(status, instance="", detail=detail, code=code)
        # The connection's other requests have ids of their own.
        request_id.reset(token)
        body = json.dumps(content).encode()
        head = (
            f"content-type: {ProblemResponse.media_type}\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {identifier}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[status] + head.encode() + body)
        self.transport.close()
