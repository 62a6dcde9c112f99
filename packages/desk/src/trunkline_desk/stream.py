"""Update open pages by Server-Sent Events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.exc import SQLAlchemyError

from trunkline_desk import events
from trunkline_desk.store import Store
from trunkline_desk.web import SignedIn

router = APIRouter()
PAUSE = 0.02


@router.get("/stream", response_class=EventSourceResponse)
async def stream(
    visit: SignedIn,
    after: int = 0,
    last_event_id: Annotated[str, Header()] = "",
) -> AsyncIterator[ServerSentEvent]:
    """Send an event for each change since `Last-Event-ID`."""
    # A database has none with more digits, and Python reads no more than 4,300.
    known = last_event_id.isdecimal() and len(last_event_id) < len(str(2**63))
    last = int(last_event_id) if known else after
    pulse: Pulse = visit.request.app.state.pulse
    # FastAPI itself breaks a long silence, in which a proxy would close the stream.
    while True:
        last = await pulse.after(last)
        yield ServerSentEvent(event="changed", id=str(last), raw_data=str(last))


class Pulse:
    """The newest event's id, polled once for all streams of a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._newest, self._listeners = 0, 0
        self._changed = asyncio.Condition()

    async def after(self, last: int) -> int:
        """Wait for an event newer than `last`, and return its id."""
        self._listeners += 1
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: self._newest > last)
        finally:
            self._listeners -= 1
        return self._newest

    async def beat(self) -> None:
        """Poll while somebody is listening."""
        while True:
            await asyncio.sleep(PAUSE)
            if self._listeners:
                # If the database is away, try again.
                with suppress(SQLAlchemyError):
                    newest = await asyncio.to_thread(self._read)
                    async with self._changed:
                        if newest != self._newest:
                            self._newest = newest
                            self._changed.notify_all()

    def _read(self) -> int:
        with self._store.reading() as connection:
            return events.newest(connection)
