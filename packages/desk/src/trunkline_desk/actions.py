"""Everything a person can do: the rule decides, the store records."""

from contextlib import suppress
from dataclasses import asdict, replace

from sqlalchemy import Connection, delete, func, insert, select
from trunkline.deploy.deployment import Deployment
from trunkline.deploy.listing import Listed, compare
from trunkline.errors import TrunklineError

from trunkline_desk import events, requests, snapshots, tables
from trunkline_desk.claims import (
    CLAIMS,
    Action,
    DeniedError,
    Ground,
    Person,
    Reservation,
    Role,
    Wish,
    active,
    claim,
    clock,
    denial,
)
from trunkline_desk.requests import Order
from trunkline_desk.services import Place
from trunkline_desk.store import Store

RESERVATION = tables.reservation
# The way in of people who run `trunkline` on the desk's machine.
TERMINAL = "terminal"
DESK = Person("the desk", Role.VIEWER, "itself")


def ground(connection: Connection, place: Place, ref: str = "") -> Ground:
    """Return the current facts about an environment and a branch or release."""
    columns = RESERVATION.c["holder", "until", "why", "ref"]
    these = RESERVATION.c.place == place.name
    held = connection.execute(select(*columns).where(these)).first()
    live = snapshots.live(connection, place.name).document
    newest = requests.newest(connection, place.name)
    going = requests.find(connection, place=place.name, state="running")
    running = going[0].id if going else 0
    # Pages about one environment need not read 10,000 branches.
    one = listed(connection, place, ref) if ref else None
    return Ground(
        name=place.environment,
        accepts_any=place.accepts_any,
        reservation=Reservation(*held) if held else None,
        state=f"{live.commit or 'nothing'}.{newest}.{running}",
        first=one.first if one else "",
    )


def act(store: Store, place: Place, person: Person, wish: Wish, now: float) -> str:
    """Carry out a wish and return the message; a DeniedError is recorded and raised.

    What a script leaves out, because it has not looked before, is as it is now.
    """
    try:
        with store.writing() as connection:
            wish = _completed(connection, place, wish)
            return perform(connection, place, person, wish, now)
    except DeniedError as error:
        text = f"was refused: {error.sentence}"
        with store.writing() as connection:
            events.add(connection, place.name, "denied", person, text, at=now)
        raise


def _completed(connection: Connection, place: Place, wish: Wish) -> Wish:
    one = listed(connection, place, wish.ref)
    seen = wish.seen or ground(connection, place).state
    commit = wish.commit or (one.commit if one else "")
    return wish.model_copy(update={"seen": seen, "commit": commit})


def perform(
    connection: Connection, place: Place, person: Person, wish: Wish, now: float
) -> str:
    """Carry out a wish and return the message; raises DeniedError.

    The caller is the only writer meanwhile. A form posted again changes nothing.
    """
    # Without what the page had seen, which may differ when it is posted again.
    wished = wish.model_dump_json(exclude={"seen", "commit", "form"})
    if first := events.find(connection, wish.key):
        if (first.place, first.person, first.wish) == (place.name, person.name, wished):
            return "That was requested already."
        raise DeniedError(409, "This key was used for something else.")
    before = ground(connection, place, wish.ref)
    if found := denial(wish, person, before, now):
        moved = found.status == 409 and wish.seen != before.state  # noqa: PLR2004
        raise _explained(connection, place, found, now) if moved else found
    until = now + wish.hours * 3600
    held = active(before.reservation, now)
    # A command on the desk's machine needs no runner.
    asks = wish.action not in CLAIMS and person.by != TERMINAL
    text = _sentence(place, wish, held, clock(until, now))
    if wish.action is Action.STOP:
        if not requests.stop(connection, place.name):
            raise DeniedError(409, "Nothing is running that could be stopped.")
    elif asks:
        text += _submit(connection, place, person, wish, now)
    number = requests.newest(connection, place.name) if asks else 0
    kind = "tell" if wish.action is Action.TELL else "act"
    more = {"why": wish.why, "request": number or None}
    more |= {"key": wish.key, "wish": wished}
    events.add(connection, place.name, kind, person, text, at=now, **more)
    ref = held.ref if held else ""
    if wish.action is Action.PUT:
        ref = wish.ref if listed(connection, place, wish.ref) else ""
    claimed = claim(wish, person, held, until=until, ref=ref)
    hold(connection, place, claimed, now)
    return f"{person.name} {text}."


def _explained(
    connection: Connection, place: Place, found: DeniedError, now: float
) -> DeniedError:
    """Describe what changed since the page was rendered."""
    last = events.last([place.name], ["act"], limit=1)
    these = select(tables.event).where(tables.event.c.id.in_(last))
    row = connection.execute(these).first()
    said = f" At {clock(row.at, now)} {row.person} {row.text}." if row else ""
    return DeniedError(found.status, f"{found.sentence}{said}")


def _submit(
    connection: Connection, place: Place, person: Person, wish: Wish, now: float
) -> str:
    """Queue a request; returns notes about dropped flags and a replaced request."""
    order, lost = _order(connection, place, wish)
    what = (connection, wish.key, place.name, person, order)
    replaced = requests.submit(*what, why=wish.why, at=now)
    text = f" without {', '.join(lost)}" if lost else ""
    if replaced is None:
        return text
    return f"{text} instead of {replaced.ref or replaced.kind}, which was waiting"


def _order(connection: Connection, place: Place, wish: Wish) -> tuple[Order, list[str]]:
    """Return the order, and the switched flags that the candidate lacks."""
    lost: list[str] = []
    live = snapshots.live(connection, place.name).document
    if wish.action is Action.TAKE_BACK:
        back = live.before
        return Order("take back", *((back.ref, back.commit) if back else ())), lost
    if wish.action is Action.ACCEPT:
        return Order("accept", live.ref or "", live.commit or ""), lost
    words = [f"--{wish.database}"] if wish.database else []
    switched = requests.flags(connection, place.name)
    if wish.action is Action.FLAG:
        if why := requests.unknown(live, wish.flag):
            raise DeniedError(422, why)
        switched[wish.flag] = wish.value
        ref, commit = live.ref or "", live.commit or ""
        subject = f"{wish.flag} switched"
    else:
        one = candidate(connection, place, wish.ref)
        if one is None or one.commit != wish.commit:
            now = f"{one.commit[:12]} now" if one else "gone"
            raise DeniedError(409, f"{wish.ref} is {now}; look again.")
        ref, commit, subject = one.ref, one.commit, one.subject
        lost = [name for name in one.lost_flags if switched.pop(name, None) is not None]
    words += requests.options(switched)
    return Order(wish.action.value, ref, commit, subject, words), lost


def candidate(connection: Connection, place: Place, ref: str) -> Listed | None:
    """Return the candidate of a name, compared with the live commit.

    The runner compares the newest alone. Somebody who is about to put on another one
    needs it at once, and git alone says it, in a few hundredths of a second.
    """
    one = listed(connection, place, ref)
    live = snapshots.live(connection, place.name).document
    if one is None or not live.commit or one.compared == live.commit:
        return one
    # A clone without these commits cannot compare them.
    with suppress(TrunklineError, OSError):
        found = Deployment(place.environment, folder=place.folder)
        return replace(one, **compare(found, one.commit, live.commit))
    return one


def listed(connection: Connection, place: Place, ref: str) -> Listed | None:
    """Return the candidate with the name or tag of a branch or release."""
    found = snapshots.candidates(connection, place.name).document
    return next((one for one in found if ref in {one.ref, one.tag}), None)


def hold(
    connection: Connection, place: Place, claimed: Reservation | None, now: float
) -> None:
    """Store the reservation; if it ended, notify whoever asked to be told."""
    connection.execute(delete(RESERVATION).where(RESERVATION.c.place == place.name))
    if claimed:
        row = {"place": place.name} | asdict(claimed)
        connection.execute(insert(RESERVATION).values(row))
    elif names := listeners(connection, place):
        text = f"tells {', '.join(names)} that {place.environment} is free"
        events.add(connection, place.name, "told", DESK, text, at=now)


def listeners(connection: Connection, place: Place) -> list[str]:
    """Return who wants to be notified when an environment is free."""
    event = tables.event.c
    here = event.place == place.name
    told = select(func.max(event.id)).where(here & (event.kind == "told"))
    since = func.coalesce(told.scalar_subquery(), 0)
    asked = here & (event.kind == "tell") & (event.id > since)
    return [*connection.scalars(select(event.person).where(asked).distinct())]


def _sentence(place: Place, wish: Wish, held: Reservation | None, end: str) -> str:
    name = place.environment
    state = "on" if wish.value else "off"
    other = (held.holder or "the freeze") if held else "nobody"
    return {
        Action.PUT: f"put {wish.ref} on {name}",
        Action.TAKE_BACK: f"took {name} back",
        Action.ACCEPT: f"accepted what was put on {name} outside",
        Action.FLAG: f"switched {wish.flag} {state} on {name}",
        Action.STOP: f"stopped what was being put on {name}",
        Action.RESERVE: f"reserved {name} until {end}",
        Action.EXTEND: f"kept {name} until {end}",
        Action.RELEASE: f"was done with {name}",
        Action.TAKE_OVER: f"took {name} over from {other} until {end}",
        Action.FREEZE: f"froze {name} until {end}",
        Action.TELL: f"wants to know when {name} is free",
    }[wish.action]
