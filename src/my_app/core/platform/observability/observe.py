"""The outermost middleware: request id, access log and metrics, in one pass."""

from collections.abc import Sequence
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..http.headers import Header, SecurityHeaders, header
from ..http.problems import problem
from ..request_id import VALID_REQUEST_ID, new_request_id, request_id
from .access_log import WEBSOCKET, AccessLog
from .metrics import UNMATCHED, Metrics

# Logged if the client disconnected before the response (nginx's status for it).
CLIENT_CLOSED_REQUEST = 499
# The messages that answer a websocket's handshake, and the status that each means.
HANDSHAKES = {
    "websocket.accept": 101,
    "websocket.close": 403,
    "websocket.http.response.start": 403,
}


class Observe:
    """Observes every request and adds the id and security headers to its response.

    One plain ASGI middleware for all of it: each layer costs a request about as much as
    routing does, and `BaseHTTPMiddleware` several times that.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        access_log: AccessLog,
        metrics: Metrics,
        security_headers: SecurityHeaders,
    ) -> None:
        self.app = app
        self.access_log = access_log
        self.metrics = metrics
        self.security_headers = security_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request under its own id, and record it once it is answered."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        given = header(scope, b"x-request-id")
        valid = given and VALID_REQUEST_ID.fullmatch(given)
        identifier = given.decode() if given and valid else new_request_id()
        request_id.set(identifier)
        status = CLIENT_CLOSED_REQUEST
        recorded = False
        security = self.security_headers.for_path(scope["path"])

        async def send_with_headers(message: Message) -> None:
            nonlocal recorded, status
            kind = message["type"]
            # What runs after the response, such as a background task, takes no time of
            # the client's. The response of a websocket is its handshake.
            if kind == "http.response.body":
                ends = not message.get("more_body")
            else:
                ends = kind in HANDSHAKES
                if ends or kind == "http.response.start":
                    status = message.get("status") or HANDSHAKES[kind]
                    own = message.get("headers", ())
                    given_id = (b"x-request-id", identifier.encode())
                    message["headers"] = [*own, given_id, *fitting(security, own)]
            await send(message)
            if ends and not recorded:
                recorded = True
                self.record(scope, status, started, identifier)

        try:
            if valid or not given:
                await self.app(scope, receive, send_with_headers)
            else:
                refusal = invalid_request_id(scope)
                await refusal(scope, receive, send_with_headers)
        finally:
            if not recorded:
                self.record(scope, status, started, identifier)

    def record(
        self, scope: Scope, status: int, started: float, identifier: str
    ) -> None:
        """Record an answered request in the metrics and in the log."""
        seconds = perf_counter() - started
        route = route_of(scope)
        self.metrics.observe(scope.get("method", WEBSOCKET), route, status, seconds)
        self.access_log.write(scope, route, status, seconds, identifier)


def fitting(extra: Sequence[Header], own: Sequence[Header]) -> Sequence[Header]:
    """Leave out a Cache-Control that the response has itself."""
    for name, _ in own:
        if name == b"cache-control":
            return [each for each in extra if each[0] != name]
    return extra


def invalid_request_id(scope: Scope) -> ASGIApp:
    """Refuse an id that would need escaping in a header or a log line."""
    return problem(
        scope,
        400,
        code="invalid_request_id",
        detail='X-Request-ID allows 1 to 200 visible ASCII characters, no " or \\.',
    )


def route_of(scope: Scope) -> str:
    """Return the matched path template, so that metrics do not grow with ids."""
    route = scope.get("route")
    return getattr(route, "path", UNMATCHED)
