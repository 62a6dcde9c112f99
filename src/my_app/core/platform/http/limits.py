"""The limits of requests: number, body size, time; and the answer to a crash."""

import asyncio

import structlog
from starlette import status
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .deadlines import Deadlines
from .hosts import EXEMPT
from .problems import problem

log = structlog.stdlib.get_logger(__name__)

BUSY = "The service has too much to do. Try again later."


class RequestLimits:
    """Innermost middleware: responds when the application cannot.

    - More than `max_requests` in flight, probes not counted: 503 at once, so that those
      in flight are answered in time.
    - Body larger than `max_body_bytes`: 413, at once if its length is declared. (The
      `max_body_size` of FastAPI sends plain text, unrecorded, if none reads the body.)
    - Body not received within `timeout_seconds`: 408.
    - No response started within `timeout_seconds`: 503, and the handler is cancelled.
      Once started, a response may take as long as it needs.
    - Unhandled exception: 500, logged with its traceback.
    - Cancelled by the server, whose grace period is over: 503.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        max_requests: int,
        timeout_seconds: float,
    ) -> None:
        self.app = app
        self.free = max_requests
        self.max_body_bytes = max_body_bytes
        self.deadlines = Deadlines(timeout_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, unless too many requests are in flight."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"] in EXEMPT:
            await self.run(scope, receive, send)
            return
        if not self.free:
            refusal = problem(scope, 503, code="overloaded", detail=BUSY)
            await refusal(scope, receive, send)
            return
        self.free -= 1
        try:
            await self.run(scope, receive, send)
        finally:
            self.free += 1

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application within the limits of one request."""
        length, chunked = body_framing(scope)
        if length > self.max_body_bytes:
            refusal = problem(scope, status.HTTP_413_CONTENT_TOO_LARGE)
            await refusal(scope, receive, send)
            return
        exchange = Exchange(receive, send, self)
        if length or chunked:
            exchange.receiving = True
            receive = exchange.receive
        task = exchange.task
        failure: BaseException | None = None
        self.deadlines.add(task)
        try:
            await self.app(scope, receive, exchange.send)
        except ClientDisconnect:
            log.info("client disconnected while its request was read")
        except (Exception, asyncio.CancelledError) as error:
            failure = error
        finally:
            late = self.deadlines.remove(task)
        cancelled_by_others = task.uncancel() > 0 if late else True
        if isinstance(failure, asyncio.CancelledError) and cancelled_by_others:
            # If the task itself was cancelled, the server's time to stop is over.
            if task.cancelling() and not exchange.responding:
                await stopping(scope)(scope, exchange.receive, exchange.send)
            raise failure
        if failure:
            await self.respond_to_failure(scope, exchange, failure, late=late)

    async def respond_to_failure(
        self, scope: Scope, exchange: "Exchange", failure: BaseException, *, late: bool
    ) -> None:
        """Log the failure and respond to it."""
        if late and exchange.receiving:
            # The rest of the body may yet arrive: close the connection to stop it.
            headers = {"connection": "close"}
            response = problem(scope, status.HTTP_408_REQUEST_TIMEOUT, headers=headers)
        elif late:
            log.error("request timed out", timeout_seconds=self.deadlines.seconds)
            response = problem(scope, status.HTTP_503_SERVICE_UNAVAILABLE)
        else:
            log.error("unhandled exception", exc_info=failure)
            response = problem(scope, status.HTTP_500_INTERNAL_SERVER_ERROR)
        # If the response has started, the server closes the connection instead, so the
        # client sees that it was cut off.
        if not exchange.responding:
            await response(scope, exchange.receive, exchange.send)


class Exchange:
    """One request and its response, observed as they pass."""

    __slots__ = (
        "deadlines",
        "downstream",
        "max_body_bytes",
        "receiving",
        "responding",
        "size",
        "task",
        "upstream",
    )

    def __init__(self, receive: Receive, send: Send, limits: RequestLimits) -> None:
        task = asyncio.current_task()
        if task is None:  # pragma: no cover - servers run an application in a task
            raise RuntimeError("an ASGI application must run in a task")
        self.task: asyncio.Task[object] = task
        self.upstream = receive
        self.downstream = send
        self.max_body_bytes = limits.max_body_bytes
        self.deadlines = limits.deadlines
        self.size = 0
        self.receiving = False
        self.responding = False

    async def receive(self) -> Message:
        """Count the body as it arrives.

        Raises:
            HTTPException: 413, answered by the application's own handler.
        """
        message = await self.upstream()
        if message["type"] == "http.request":
            self.size += len(message.get("body", b""))
            if self.size > self.max_body_bytes:
                raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE)
            self.receiving = message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Stop the clock when the response starts."""
        if not self.responding and message["type"] == "http.response.start":
            self.responding = True
            self.deadlines.stop(self.task)
        await self.downstream(message)


def stopping(scope: Scope) -> ASGIApp:
    """Build the response to a request that the server can no longer wait for."""
    return problem(
        scope,
        status.HTTP_503_SERVICE_UNAVAILABLE,
        detail="This process is stopping. Send the request again.",
        headers={"connection": "close"},
    )


def body_framing(scope: Scope) -> tuple[int, bool]:
    """Return the declared body length, 0 if none, and whether the body is chunked."""
    length = 0
    chunked = False
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = int(value) if value.isdigit() else 0
        elif name == b"transfer-encoding":
            chunked = True
    return length, chunked
