"""The requests that the runner carries out, and the flags that they have switched."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from trunkline.deploy.operation import DeployStep

from trunkline_desk import events, snapshots, tables
from trunkline_desk.claims import Person, Role
from trunkline_desk.snapshots import Live

REQUEST, EVENT = tables.request, tables.event
# At first a command starts, waits for the lock and resolves the candidate.
STEPS = ("prepare", *(one.value for one in DeployStep))
_FLAG = re.compile(r"--flag=(ENABLE_[A-Z0-9_]{1,80})=(true|false)")


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
        end(connection, replaced, "replaced", said, at=at)
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


def begin(connection: Connection, one: Row[Any], at: float) -> None:
    """Mark a request as running."""
    change = update(REQUEST).filter_by(id=one.id)
    connection.execute(change.values(state="running", began=at))
    note(connection, one, "begin", "begins", at=at)


def end(
    connection: Connection, one: Row[Any], state: str, said: str, *, at: float
) -> None:
    """Record how it ended, once: `done`, `failed`, `refused` or `replaced`."""
    live = snapshots.live(connection, one.place).document
    # Of a rollback that had named none, it is known now.
    values = {"state": state, "said": said, "commit": one.commit or live.commit or ""}
    if state == "done" and one.kind not in {"put", "flag"}:
        values["options"] = json.dumps(options(_came_back(connection, one, live)))
    left = REQUEST.c.state.in_(("waiting", "running"))
    change = update(REQUEST).filter_by(id=one.id).where(left)
    if connection.execute(change.values(ended=at, **values)).rowcount:
        text = f"was refused: {said}" if state == "refused" else state
        kind = "replaced" if state == "replaced" else "end"
        note(connection, one, kind, text, at=at)


def remark(connection: Connection, one: Row[Any], said: str, *, at: float) -> None:
    """Say something about a request that is running, once."""
    change = update(REQUEST).filter_by(id=one.id, state="running", said="")
    if connection.execute(change.values(said=said)).rowcount:
        note(connection, one, "step", said, at=at)


def note(
    connection: Connection, one: Row[Any], kind: str, text: str, *, at: float
) -> None:
    """Record a command's output, or how its request goes."""
    person = Person(one.person, Role.VIEWER, one.by)
    events.add(connection, one.place, kind, person, text, at=at, request=one.id)


def stop(connection: Connection, place: str) -> bool:
    """Ask the runner to stop the oldest running request; returns whether one exists."""
    these = (REQUEST.c.place == place) & (REQUEST.c.state == "running")
    first = select(func.min(REQUEST.c.id)).where(these).scalar_subquery()
    change = update(REQUEST).where(REQUEST.c.id == first).values(stopped=True)
    return bool(connection.execute(change).rowcount)


def steps_of(connection: Connection, request: Row[Any]) -> dict[str, str]:
    """Return the state of each step: `done`, `now` or `later`."""
    these = (EVENT.c.request == request.id) & (EVENT.c.kind == "step")
    said = {*connection.scalars(select(EVENT.c.text).where(these))}
    begun = [number for number, name in enumerate(STEPS) if name in said]
    if not begun and request.kind == "take back":
        # During the window, a rollback is one rename.
        return {}
    last = begun[-1] if begun else 0
    return {
        name: "done" if n < last else "now" if n == last else "later"
        for n, name in enumerate(STEPS)
    }


def flags(connection: Connection, place: str) -> dict[str, bool]:
    """Return the flags that are switched for an environment.

    They are those of the request that was done last.
    """
    these = (EVENT.c.place == place) & (EVENT.c.kind == "end")
    these &= (EVENT.c.text == "done") & (EVENT.c.request == REQUEST.c.id)
    last = select(REQUEST.c.options).where(these).order_by(EVENT.c.id.desc()).limit(1)
    return _switched(connection.scalar(last))


def options(switched: Mapping[str, bool]) -> list[str]:
    """Return the flags as command line options. Pure."""
    return [f"--flag={name}={str(on).lower()}" for name, on in switched.items()]


def unknown(live: Live, name: str) -> str:
    """Explain that the live version lacks a flag, or return an empty text. Pure."""
    if not live.ref or not live.flags:
        return "What runs now reports no flags, so none can be switched."
    if name in live.flags and _FLAG.fullmatch(f"--flag={name}=true"):
        return ""
    return f"There is no flag {name}. There are {', '.join(sorted(live.flags))}."


def _came_back(connection: Connection, one: Row[Any], live: Live) -> dict[str, bool]:
    """Return the flags of the request that had put on what a request went back to.

    As far as that says the same itself: it may have been put on from a terminal since.
    """
    these = (REQUEST.c.place == one.place) & (REQUEST.c.commit == one.commit)
    these &= REQUEST.c.kind.in_(("put", "flag")) & (REQUEST.c.state == "done")
    newest = select(REQUEST.c.options).where(these).order_by(REQUEST.c.id.desc())
    before = connection.scalar(newest.limit(1))
    switched = flags(connection, one.place) if before is None else _switched(before)
    shown = live.flags if live.commit == one.commit else {}
    return {name: on for name, on in switched.items() if shown.get(name) is on}


def _switched(words: str | None) -> dict[str, bool]:
    found = map(_FLAG.fullmatch, json.loads(words or "[]"))
    return {one[1]: one[2] == "true" for one in found if one}
