"""The queue of requests that the runner carries out."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from trunkline_desk import tables
from trunkline_desk.claims import Person

REQUEST = tables.request


@dataclass(frozen=True, slots=True)
class Order:
    """What to deploy; without a ref, roll back."""

    kind: str
    ref: str = ""
    commit: str = ""
    subject: str = ""
    # Extra command line options.
    options: list[str] = field(default_factory=list)


def submit(
    connection: Connection,
    key: str,
    place: str,
    person: Person,
    order: Order,
    *,
    why: str,
    at: float,
) -> Row[Any] | None:
    """Queue a request; returns the one that it replaces, if any.

    One may wait for each person and environment.
    """
    mine = find(connection, place=place, state="waiting", person=person.name)
    if replaced := next(iter(mine), None):
        said = "Replaced by a newer one before it began."
        end(connection, replaced.id, "replaced", said, at=at)
    connection.execute(
        insert(REQUEST).values(
            key=key,
            place=place,
            person=person.name,
            by=person.by,
            **asdict(order) | {"options": json.dumps(order.options)},
            why=why,
            at=at,
            state="waiting",
        )
    )
    return replaced


def find(connection: Connection, **these: object) -> Sequence[Row[Any]]:
    """Return the requests with these values, oldest first.

    Of an environment one is running, or two while a deploy is taken back.
    """
    found = select(REQUEST).filter_by(**these).order_by(REQUEST.c.id)
    return connection.execute(found).all()


def newest(connection: Connection, place: str) -> int:
    """Return the id of the newest request, or 0."""
    of = select(func.max(REQUEST.c.id)).where(REQUEST.c.place == place)
    return connection.scalar(of) or 0


def begin(connection: Connection, number: int, runner: str, at: float) -> None:
    """Mark a request as running."""
    change = update(REQUEST).where(REQUEST.c.id == number)
    connection.execute(change.values(state="running", runner=runner, began=at))


def beat(connection: Connection, runner: str) -> None:
    """Record a heartbeat for everything that a runner is carrying out."""
    these = (REQUEST.c.runner == runner) & (REQUEST.c.state == "running")
    change = update(REQUEST).where(these)
    connection.execute(change.values(beats=REQUEST.c.beats + 1))


def take_over(connection: Connection, request: Row[Any], runner: str) -> None:
    """Assign a running request to another runner, unless its heartbeat has changed."""
    same = (REQUEST.c.id == request.id) & (REQUEST.c.runner == request.runner)
    these = same & (REQUEST.c.beats == request.beats)
    connection.execute(update(REQUEST).where(these).values(runner=runner))


def end(
    connection: Connection,
    number: int,
    state: str,
    said: str,
    *,
    at: float,
    runner: str = "",
) -> bool:
    """Record how it ended: `done`, `failed`, `refused` or `replaced`.

    Returns whether it was the runner's to end, or had not begun.
    """
    these = (REQUEST.c.id == number) & REQUEST.c.runner.in_(("", runner))
    change = update(REQUEST).where(these).values(state=state, said=said, ended=at)
    return bool(connection.execute(change).rowcount)


def stop(connection: Connection, place: str) -> bool:
    """Ask the runner to stop the oldest running request; returns whether one exists."""
    these = (REQUEST.c.place == place) & (REQUEST.c.state == "running")
    first = select(func.min(REQUEST.c.id)).where(these).scalar_subquery()
    change = update(REQUEST).where(REQUEST.c.id == first).values(stopped=True)
    return bool(connection.execute(change).rowcount)
