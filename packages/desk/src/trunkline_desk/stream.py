"""Wake the pages that are open, as Server-Sent Events."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from trunkline_desk import events
from trunkline_desk.store import Store
from trunkline_desk.web import PersonOf

router = APIRouter()
PAUSE = 0.3
# Proxies close what is silent for longer than a minute.
SILENCE = 15.0


@router.get("/stream", response_class=EventSourceResponse)
async def stream(
    request: Request,
    person: PersonOf,
    after: int = 0,
    last_event_id: Annotated[str, Header()] = "",
) -> AsyncIterator[ServerSentEvent]:
    """Tell that something changed since an event; one that was cut goes on."""
    last = int(last_event_id) if last_event_id.isdecimal() else after
    quiet, pulse = 0.0, request.app.state.pulse
    while not await request.is_disconnected():
        newest = await pulse.newest()
        if newest > last:
            last, quiet = newest, 0.0
            yield ServerSentEvent(event="changed", id=str(last), raw_data=str(last))
        elif quiet >= SILENCE:
            quiet = 0.0
            yield ServerSentEvent(comment="still here")
        quiet += PAUSE
        await asyncio.sleep(PAUSE)


class Pulse:
    """The id of the newest event, asked once for all streams of a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._at, self._newest = 0.0, 0

    async def newest(self) -> int:
        """Return the id, as it was at most one pause ago."""
        now = time.monotonic()
        if now - self._at >= PAUSE:
            self._at = now
            self._newest = await asyncio.to_thread(self._read)
        return self._newest

    def _read(self) -> int:
        with self._store.reading() as connection:
            return events.newest(connection)
