"""Problem documents for malformed HTTP, which never becomes a request."""

import json

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..request_id import new_request_id, request_id
from .problems import ProblemResponse, problem_content

log = structlog.stdlib.get_logger("access")


class ProblemProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with a problem document for malformed requests."""

    def send_400_response(self, msg: str) -> None:
        """Respond with 400 and close: nothing after a malformed request is readable."""
        identifier = new_request_id()
        request_id.set(identifier)
        log.info("malformed request", status=400, client=self.client and self.client[0])
        content = problem_content(400, instance="", detail=msg, code="malformed_http")
        body = json.dumps(content).encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            f"content-type: {ProblemResponse.media_type}\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-request-id: {identifier}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
