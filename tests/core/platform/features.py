"""A feature and flags for tests of the platform.

Those tests use none of the features that a team may delete.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import date
from typing import Literal

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Message

from my_app.config import Flags, flag
from my_app.core.platform.feature import Feature

router = APIRouter()


@router.get("/crash")
async def crash() -> None:
    """Fail with an unhandled exception."""
    raise RuntimeError("the password is hunter2")


@router.get("/sleep")
async def sleep() -> None:
    """Never answer."""
    await asyncio.sleep(60)


@router.get("/stubborn")
async def stubborn() -> str:
    """Respond although cancelled."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return "still here"
    return "never"


@router.get("/cancelled")
async def cancelled() -> None:
    """Be cancelled from outside."""
    raise asyncio.CancelledError


@router.post("/echo")
async def echo(request: Request) -> int:
    """Return the size of the body."""
    return len(await request.body())


@router.get("/both")
async def read() -> None:
    """Share a path with another method."""


@router.post("/both")
async def write() -> None:
    """Share a path with another method."""


@router.get("/leave")
async def leave(request: Request) -> None:
    """Read the body as a stream."""
    async for _ in request.stream():
        pass


class Order(BaseModel):
    """A body with rules."""

    model_config = ConfigDict(extra="forbid", strict=True)

    count: int = Field(ge=1, le=10)
    colour: Literal["red", "green"]
    note: str | None = Field(None, max_length=100)


@router.post("/orders")
async def create_order(order: Order) -> Order:
    """Return the parsed body."""
    return order


@router.get("/stream")
async def stream(seconds: float = 0, *, fail: bool = False) -> StreamingResponse:
    """Start a response, then take time or fail."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"begun "
        await asyncio.sleep(seconds)
        if fail:
            raise RuntimeError("half way")
        yield b"ended"

    return StreamingResponse(chunks())


class SampleFlags(Flags):
    """The service's flags and one that is always there."""

    ENABLE_SAMPLE: bool = flag("A sample", owner="tests", expires=date(2100, 1, 1))


misbehaving = Feature(name="misbehaving", router=router)


async def exchange(
    app: FastAPI,
    path: str,
    *,
    kind: str = "http",
    method: str = "GET",
    query: bytes = b"",
    headers: Sequence[tuple[bytes, bytes]] = (),
    received: Message | None = None,
    on_send: Callable[[Message], Awaitable[None]] | None = None,
) -> list[Message]:
    """Call the application as a server does, without a client in between.

    Returns the messages that the application sent.
    """
    sent: list[Message] = []

    incoming = [received or {"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if not incoming:
            await asyncio.Event().wait()
        return incoming.pop()

    async def send(message: Message) -> None:
        sent.append(message)
        if on_send:
            await on_send(message)

    scope: dict[str, object] = {
        "type": kind,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [*headers],
        "client": None,
        "root_path": "",
        "subprotocols": [],
    }
    if kind == "http":
        scope["method"] = method
    await app(scope, receive, send)
    return sent
