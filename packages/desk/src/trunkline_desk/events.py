"""The events: rows that are only added, and that update open pages."""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Row,
    false,
    func,
    insert,
    select,
    union_all,
)

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
    these = select(EVENT).filter_by(key=key).limit(1)
    return connection.execute(these).first()


def newest(connection: Connection) -> int:
    """Return the id of the newest event, or 0."""
    return connection.scalar(select(func.max(EVENT.c.id))) or 0


def last(
    places: Sequence[str], kinds: Iterable[str], *, limit: int, before: int = 0
) -> CompoundSelect[tuple[int]]:
    """Select the ids of the newest events, using only the index.

    For several places and kinds at once a database would sort all that there are.
    """
    event = EVENT.c
    found = [select(event.id).where(false())]
    for place, kind in product(places, kinds):
        these = (event.place == place) & (event.kind == kind)
        if before:
            these &= event.id < before
        part = select(event.id).where(these).order_by(event.id.desc()).limit(limit)
        found.append(select(part.subquery().c.id))
    return union_all(*found)
