"""The outermost middleware: request id, access log and metrics, in one pass."""

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..http.headers import SecurityHeaders, header
from ..http.problems import problem
from ..request_id import VALID_REQUEST_ID, new_request_id, request_id
from .access_log import AccessLog
from .metrics import UNMATCHED, Metrics

# Logged if the client disconnected before the response (nginx's status for it).
CLIENT_CLOSED_REQUEST = 499


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
        """Handle a request under its own id, then record the outcome."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        given = header(scope, b"x-request-id")
        valid = given is not None and VALID_REQUEST_ID.fullmatch(given) is not None
        identifier = given.decode() if given and valid else new_request_id()
        request_id.set(identifier)
        status = CLIENT_CLOSED_REQUEST
        extra_headers = [
            (b"x-request-id", identifier.encode()),
            *self.security_headers.for_path(scope["path"]),
        ]

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *extra_headers]
            await send(message)

        try:
            if valid or given is None:
                await self.app(scope, receive, send_with_headers)
            else:
                refusal = invalid_request_id(scope)
                await refusal(scope, receive, send_with_headers)
        finally:
            seconds = perf_counter() - started
            route = route_of(scope)
            self.metrics.observe(scope["method"], route, status, seconds)
            self.access_log.write(scope, route, status, seconds, identifier)


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
