"""Everything that a person can do: decided by the one rule, and written down."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from trunkline_desk import events, outbox, requests, snapshots, tables
from trunkline_desk.claims import (
    CLAIMS,
    Action,
    Denial,
    Ground,
    Person,
    Reservation,
    Wish,
    active,
    claim,
    clock,
    denial,
)
from trunkline_desk.requests import Order
from trunkline_desk.services import Place

USUAL_SECONDS = 4 * 3600.0
LONGEST_SECONDS = 14 * 86400.0
_FLAG = re.compile(r"ENABLE_[A-Z0-9_]{1,80}")
RESERVATION = tables.reservation


class DeniedError(Exception):
    """What somebody may not do now, with an HTTP status and a sentence."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial.sentence)
        self.denial = denial


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form, or a script, asks for."""

    action: Action
    # The same for all copies of one form.
    key: str
    seen: str = ""
    why: str = ""
    typed: str = ""
    ref: str = ""
    commit: str = ""
    # Seconds, UTC; by default four hours from now.
    until: float = 0.0
    flag: str = ""
    value: bool = False
    database: str = ""


def ground(connection: Connection, place: Place) -> Ground:
    """Return what is known about an environment now."""
    held = connection.execute(
        select(RESERVATION).where(RESERVATION.c.place == place.name)
    ).first()
    going = requests.running(connection, place.name)
    live = snapshots.read(connection, place.name, snapshots.LIVE).document or {}
    state = (
        f"{live.get('commit') or 'nothing'}.{requests.newest(connection, place.name)}"
    )
    return Ground(
        name=place.environment,
        accepts_any=place.accepts_any,
        reservation=Reservation(held.holder, held.until, held.why, held.ref)
        if held
        else None,
        state=state,
        running=going.person if going else "",
    )


def perform(
    connection: Connection, place: Place, person: Person, asked: Asked, now: float
) -> str:
    """Do what is asked, and return what to say; raises DeniedError.

    The caller is the only writer meanwhile. A form posted again changes nothing.
    """
    if events.known(connection, asked.key):
        return "It is asked for already."
    wish = Wish(asked.action, asked.seen, asked.why, asked.typed)
    before = ground(connection, place)
    if found := denial(wish, person, before, now):
        raise DeniedError(_explained(connection, place, found, wish, before))
    until = min(asked.until or now + USUAL_SECONDS, now + LONGEST_SECONDS)
    if until <= now:
        raise DeniedError(Denial(422, "The end is in the past."))
    held = active(before.reservation, now)
    said = ""
    if asked.action is Action.STOP:
        said = _stop(connection, place)
    elif asked.action not in CLAIMS:
        order = _order(connection, place, asked)
        _tell_replaced(connection, place, person, now)
        said = requests.submit(
            *(connection, asked.key, place.name, person, order),
            why=asked.why,
            at=now,
        )
    ref = asked.ref if asked.action is Action.PUT else held.ref if held else ""
    _hold(connection, place, claim(wish, person, held, until=until, ref=ref))
    text = _sentence(place, asked, held, until)
    _keep(connection, place, person, asked, text=text, now=now)
    return f"{person.name} {text}. {said}".strip()


def _keep(
    connection: Connection,
    place: Place,
    person: Person,
    asked: Asked,
    *,
    text: str,
    now: float,
) -> None:
    """Write down what was done, for the history and for the hooks."""
    number = None
    if asked.action not in CLAIMS:
        number = requests.newest(connection, place.name) or None
    more: dict[str, Any] = {"at": now, "request": number}
    events.add(
        *(connection, place.name, "act", person, text),
        why=asked.why,
        key=asked.key,
        **more,
    )
    outbox.tell(connection, place, person, text, asked.why, **more)


def denied(
    connection: Connection, place: Place, person: Person, error: DeniedError, now: float
) -> None:
    """Keep what was refused, too."""
    text = f"was refused: {error.denial.sentence}"
    events.add(connection, place.name, "act", person, text, at=now)


def flags(connection: Connection, place: Place) -> dict[str, bool]:
    """Return the flags that were switched for an environment."""
    these = select(tables.flag).where(tables.flag.c.place == place.name)
    return {row.name: row.value for row in connection.execute(these)}


def _explained(
    connection: Connection, place: Place, found: Denial, wish: Wish, before: Ground
) -> Denial:
    """Say what changed since the page was looked at."""
    if found.status != 409 or wish.seen == before.state:  # noqa: PLR2004
        return found
    changes = (tables.event.c.place == place.name) & (tables.event.c.kind == "act")
    row = connection.execute(
        select(tables.event).where(changes).order_by(tables.event.c.id.desc())
    ).first()
    if row is None:
        return found
    last = f" At {clock(row.at)} {row.person} {row.text}."
    return Denial(found.status, f"{found.sentence}{last}")


def _stop(connection: Connection, place: Place) -> str:
    going = requests.running(connection, place.name)
    if going is None:
        raise DeniedError(Denial(409, "Nothing is running that could be stopped."))
    requests.stop(connection, going.id)
    return ""


def _tell_replaced(
    connection: Connection, place: Place, person: Person, now: float
) -> None:
    """Tell of the request that the next one of the same person replaces."""
    for one in requests.waiting(connection, place.name):
        if one.person == person.name:
            what = (connection, place, person, "replaced it", "")
            outbox.tell(*what, at=now, request=one.id, event="progress")


def _order(connection: Connection, place: Place, asked: Asked) -> Order:
    if asked.action is Action.TAKE_BACK:
        return Order("take back")
    live = snapshots.read(connection, place.name, snapshots.LIVE).document or {}
    words = [f"--{asked.database}"] if asked.database else []
    if asked.action is Action.FLAG:
        if not _FLAG.fullmatch(asked.flag) or not live.get("ref"):
            raise DeniedError(Denial(422, "No such flag, or nothing runs yet."))
        these = (tables.flag.c.place == place.name) & (tables.flag.c.name == asked.flag)
        connection.execute(delete(tables.flag).where(these))
        row = {"place": place.name, "name": asked.flag, "value": asked.value}
        connection.execute(insert(tables.flag).values(row))
        ref, commit, subject = live["ref"], live["commit"], f"{asked.flag} switched"
    else:
        one = candidate(connection, place, asked.ref)
        if one is None or one["commit"] != asked.commit:
            now = f"{one['commit'][:12]} now" if one else "gone"
            raise DeniedError(Denial(409, f"{asked.ref} is {now}; look again."))
        ref, commit, subject = one["ref"], one["commit"], one["subject"]
    switched = flags(connection, place)
    words += [f"--flag={name}={str(on).lower()}" for name, on in switched.items()]
    return Order(asked.action.value, ref, commit, subject, words)


def candidate(connection: Connection, place: Place, ref: str) -> dict[str, Any] | None:
    """Return what the runner found under the name of a branch or release."""
    found = snapshots.read(connection, place.name, snapshots.CANDIDATES).document or []
    return next((one for one in found if one["ref"] == ref), None)


def _hold(
    connection: Connection, place: Place, reservation: Reservation | None
) -> None:
    connection.execute(delete(RESERVATION).where(RESERVATION.c.place == place.name))
    if reservation is None:
        return
    row = {
        "place": place.name,
        "holder": reservation.holder,
        "until": reservation.until,
        "why": reservation.why,
        "ref": reservation.ref,
    }
    connection.execute(insert(RESERVATION).values(row))


def _sentence(
    place: Place, asked: Asked, held: Reservation | None, until: float
) -> str:
    name, end = place.environment, clock(until)
    state = "on" if asked.value else "off"
    other = (held.holder or "the freeze") if held else "nobody"
    return {
        Action.PUT: f"put {asked.ref} on {name}",
        Action.TAKE_BACK: f"took {name} back",
        Action.FLAG: f"switched {asked.flag} {state} on {name}",
        Action.STOP: f"stopped what was being put on {name}",
        Action.RESERVE: f"reserved {name} until {end}",
        Action.EXTEND: f"kept {name} until {end}",
        Action.RELEASE: f"was done with {name}",
        Action.TAKE_OVER: f"took {name} over from {other} until {end}",
        Action.FREEZE: f"froze {name} until {end}",
    }[asked.action]
