"""Wake the pages that are open, as Server-Sent Events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from trunkline_desk import events
from trunkline_desk.store import Store
from trunkline_desk.web import PersonOf, StoreOf

router = APIRouter()
PAUSE = 0.3
# Proxies close what is silent for longer than a minute.
SILENCE = 15.0


@router.get("/stream", response_class=EventSourceResponse)
async def stream(
    request: Request,
    person: PersonOf,
    store: StoreOf,
    after: int = 0,
    last_event_id: Annotated[str, Header()] = "",
) -> AsyncIterator[ServerSentEvent]:
    """Tell that something changed since an event; one that was cut goes on."""
    last = int(last_event_id) if last_event_id.isdecimal() else after
    quiet = 0.0
    while not await request.is_disconnected():
        newest = await asyncio.to_thread(_newest, store)
        if newest > last:
            last, quiet = newest, 0.0
            yield ServerSentEvent(event="changed", id=str(last), raw_data=str(last))
        elif quiet >= SILENCE:
            quiet = 0.0
            yield ServerSentEvent(comment="still here")
        quiet += PAUSE
        await asyncio.sleep(PAUSE)


def _newest(store: Store) -> int:
    with store.reading() as connection:
        return events.newest(connection)
