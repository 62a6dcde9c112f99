"""The bounds of one request: how long its body is, how long it takes, how it fails."""

import asyncio

import structlog
from starlette import status
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .deadlines import Deadlines
from .problems import problem

log = structlog.stdlib.get_logger(__name__)


class RequestLimits:
    """Innermost middleware: answers for the application where that cannot.

    - A body over `max_body_bytes`: 413, at once where its length is declared.
    - A body that has not arrived within `timeout_seconds`: 408.
    - No answer begun within `timeout_seconds`: 503, and the handler is cancelled. A
      response that has begun may take as long as it needs.
    - An exception that nobody handled: logged with its traceback, and 500.
    """

    def __init__(
        self, app: ASGIApp, *, max_body_bytes: int, timeout_seconds: float
    ) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.deadlines = Deadlines(timeout_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application within the bounds."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
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
            log.info("the client went away while its request was read")
        except (Exception, asyncio.CancelledError) as error:
            failure = error
        finally:
            late = self.deadlines.remove(task)
        cancelled_by_others = task.uncancel() > 0 if late else True
        if isinstance(failure, asyncio.CancelledError) and cancelled_by_others:
            raise failure
        if failure:
            await self.answer_failure(scope, exchange, failure, late=late)

    async def answer_failure(
        self, scope: Scope, exchange: "Exchange", failure: BaseException, *, late: bool
    ) -> None:
        """Log what went wrong, and answer."""
        if late and exchange.receiving:
            # The rest of the body may still come: only closing the connection ends it.
            headers = {"connection": "close"}
            response = problem(scope, status.HTTP_408_REQUEST_TIMEOUT, headers=headers)
        elif late:
            log.error("no answer in time", timeout_seconds=self.deadlines.seconds)
            response = problem(scope, status.HTTP_503_SERVICE_UNAVAILABLE)
        else:
            log.error("unhandled exception", exc_info=failure)
            response = problem(scope, status.HTTP_500_INTERNAL_SERVER_ERROR)
        # Of an answer that has begun the server closes the connection instead, which
        # tells the client that the rest is missing.
        if not exchange.answering:
            await response(scope, exchange.receive, exchange.send)


class Exchange:
    """One request and its response, watched as they pass."""

    __slots__ = (
        "answering",
        "deadlines",
        "downstream",
        "max_body_bytes",
        "receiving",
        "size",
        "task",
        "upstream",
    )

    def __init__(self, receive: Receive, send: Send, bounds: RequestLimits) -> None:
        task = asyncio.current_task()
        if task is None:  # pragma: no cover - servers run an application in a task
            raise RuntimeError("an ASGI application runs in a task")
        self.task: asyncio.Task[object] = task
        self.upstream = receive
        self.downstream = send
        self.max_body_bytes = bounds.max_body_bytes
        self.deadlines = bounds.deadlines
        self.size = 0
        self.receiving = False
        self.answering = False

    async def receive(self) -> Message:
        """Count the body as it comes.

        Raises:
            HTTPException: 413, which the application's own handler answers.
        """
        message = await self.upstream()
        if message["type"] == "http.request":
            self.size += len(message.get("body", b""))
            if self.size > self.max_body_bytes:
                raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE)
            self.receiving = message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Stop the clock when the answer begins."""
        if not self.answering and message["type"] == "http.response.start":
            self.answering = True
            self.deadlines.stop(self.task)
        await self.downstream(message)


def body_framing(scope: Scope) -> tuple[int, bool]:
    """Return the declared length of the body, 0 if none, and whether it is chunked."""
    length = 0
    chunked = False
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = int(value) if value.isdigit() else 0
        elif name == b"transfer-encoding":
            chunked = True
    return length, chunked
