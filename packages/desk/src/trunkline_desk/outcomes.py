"""Record how requests begin and end, and notify pages, flags and hooks."""

from typing import Any

from sqlalchemy import Connection, Row
from trunkline.deploy.orders import shown_time
from trunkline.deploy.variables import LAST_LINES

from trunkline_desk import events, flags, outbox, requests, snapshots
from trunkline_desk.claims import Person, Role
from trunkline_desk.services import Place

WHY = "trunkline: "


def begin(connection: Connection, place: Place, one: Row[Any], *, at: float) -> None:
    """Announce that a request is running."""
    person = add(connection, place, one, "step", "begins", at=at)
    more = {"request": one.id, "event": "progress"}
    outbox.tell(connection, place, person, "begins", "", at=at, **more)


def end(
    connection: Connection,
    place: Place,
    one: Row[Any],
    state: str,
    said: str,
    *,
    at: float,
    runner: str,
) -> None:
    """Record how a request ended, unless another runner has taken it over."""
    if not requests.end(connection, one.id, state, said, at=at, runner=runner):
        return
    if state == "done":
        flags.settle(connection, place.name, one)
    text = f"was refused: {said}" if state == "refused" else state
    person = add(connection, place, one, "end", text, at=at)
    text = f"{one.kind} {one.ref or place.environment}: {text}"
    # The result of a rollback.
    live = snapshots.read(connection, place.name, snapshots.LIVE).document or {}
    more = {"request": one.id, "event": "end", "commit": live.get("commit") or ""}
    outbox.tell(connection, place, person, text, "", at=at, **more)


def add(
    connection: Connection,
    place: Place,
    one: Row[Any],
    kind: str,
    text: str,
    *,
    at: float,
) -> Person:
    """Record a command's output, or its end; returns the person."""
    person = Person(one.person, Role.VIEWER, one.by)
    events.add(connection, place.name, kind, person, text, at=at, request=one.id)
    return person


def arrived(one: Row[Any], live: dict[str, Any]) -> bool:
    """Whether the live version is the result of a request. Pure."""
    if live["commit"] != one.commit or live["unfinished"]:
        return False
    if one.kind == "accept":
        recorded = live["recorded"]
        return bool(recorded and recorded["commit"] == one.commit)
    # It may have served the same commit before, by a deploy that began earlier. A take
    # back may be a rename, which begins none, but its commit never served already.
    began = shown_time(one.began)
    return one.kind == "take back" or (live["since"] or "") >= began


def ending(said: list[str]) -> list[str]:
    """Return a command's error with the service's last lines. Pure."""
    # The error comes first, then a heading, then the lines.
    last = said[-LAST_LINES - 2 :]
    return next((last[n:] for n, one in enumerate(last) if one.startswith(WHY)), last)
