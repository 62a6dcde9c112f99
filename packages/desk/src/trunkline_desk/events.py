"""The events: rows that are only added, and that update open pages."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select

from trunkline_desk import tables
from trunkline_desk.claims import Person

EVENT = tables.event


def add(
    connection: Connection,
    place: str,
    kind: str,
    person: Person,
    text: str,
    *,
    at: float,
    **more: object,
) -> None:
    """Record an event.

    Somebody's `act` may be `denied`; they ask to `tell` them when it is free, and are
    `told`. A request may `begin`, be at a `step`, be `replaced`, and `end`. The runner
    has a new `look`. `more` is why, the request, and which wish had which key.
    """
    row = {"at": at, "place": place, "kind": kind, "text": text, **more}
    who = {"person": person.name, "by": person.by}
    connection.execute(insert(EVENT).values(row | who))


def find(connection: Connection, key: str) -> Row[Any] | None:
    """Return the event of a form that was posted before."""
    return connection.execute(select(EVENT).filter_by(key=key).limit(1)).first()


def newest(connection: Connection) -> int:
    """Return the id of the newest event, or 0."""
    return connection.scalar(select(func.max(EVENT.c.id))) or 0


def last(
    places: Sequence[str], kinds: Sequence[str], *, limit: int, before: int = 0
) -> Select[tuple[int]]:
    """Select the ids of the newest events, using only the index."""
    these = EVENT.c.place.in_(places) & EVENT.c.kind.in_(kinds)
    if before:
        these &= EVENT.c.id < before
    return select(EVENT.c.id).where(these).order_by(EVENT.c.id.desc()).limit(limit)
