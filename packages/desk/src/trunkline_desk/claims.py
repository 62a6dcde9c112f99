"""The rule about who may change an environment, for page, API and scripts. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Role(IntEnum):
    """What a person may do; each role includes the ones before it."""

    VIEWER = 0
    DEPLOYER = 1
    RELEASER = 2


class Action(StrEnum):
    """An action on an environment."""

    PUT = "put"
    TAKE_BACK = "take back"
    ACCEPT = "accept"
    FLAG = "flag"
    STOP = "stop"
    RESERVE = "reserve"
    EXTEND = "keep longer"
    RELEASE = "done with it"
    TAKE_OVER = "take over"
    FREEZE = "freeze"
    TELL = "tell me"


# Two weeks: whoever needs it for longer needs an environment of their own.
LONGEST_HOURS = 336.0
# Actions that do not change what is serving.
CLAIMS = {
    Action.RESERVE,
    Action.EXTEND,
    Action.RELEASE,
    Action.TAKE_OVER,
    Action.FREEZE,
    Action.TELL,
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts, and how they signed in: password, single sign-on, token or terminal."""

    name: str
    role: Role
    by: str


@dataclass(frozen=True, slots=True)
class Reservation:
    """Who has an environment until when (Unix time); without a holder, a freeze."""

    holder: str
    until: float
    why: str
    # It ends when this branch is deleted.
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """The facts about an environment that the rule needs."""

    name: str
    accepts_any: bool
    reservation: Reservation | None
    # What a page shows is only worth a click while this is the same: the commit that
    # serves, the newest request and, for who stops it, the one that is running.
    state: str
    # The environment on which the candidate has to run first, or empty.
    first: str = ""


class Wish(BaseModel):
    """A wish as sent by a form or a script; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Action
    # A wish that is repeated with its key is carried out once.
    key: str = Field(default="", max_length=64)
    # The `state` that the page or script has seen.
    seen: str = Field(default="", max_length=200)
    why: str = Field(default="", max_length=500)
    # The name typed to confirm a change of an environment for releases.
    typed: str = Field(default="", max_length=100)
    ref: str = Field(default="", max_length=300)
    commit: str = Field(default="", max_length=64)
    hours: float = Field(default=4.0, gt=0, le=LONGEST_HOURS)
    flag: str = Field(default="", max_length=100)
    value: bool = False
    # The database option of `trunkline deploy`.
    database: str = Field(default="", pattern="^((own|new)-database|downgrade)?$")


class DeniedError(Exception):
    """A refusal: an HTTP status, the reason, and what to type instead."""

    def __init__(self, status: int, sentence: str, fix: str = "") -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.fix = status, sentence, fix


def clock(seconds: float, now: float) -> str:
    """Format a time for a sentence, with the date unless it is today."""
    when, today = (datetime.fromtimestamp(one, UTC) for one in (seconds, now))
    time = f"{when:%H:%M} UTC"
    if when.date() == today.date():
        return time
    year = "" if when.year == today.year else f"{when.year} "
    return f"{when.day} {when:%b} {year}{time}"


def active(reservation: Reservation | None, now: float) -> Reservation | None:
    """Return the reservation unless it has ended."""
    return reservation if reservation and reservation.until > now else None


def denial(
    wish: Wish, person: Person, ground: Ground, now: float
) -> DeniedError | None:
    """Return why a wish is denied, or None."""
    return (
        _role(wish, person, ground)
        or _reserved(wish, person, ground, now)
        or _moved(wish, ground)
        or _new(wish, ground)
        or _confirmed(wish, ground)
    )


def claim(
    wish: Wish, person: Person, held: Reservation | None, *, until: float, ref: str
) -> Reservation | None:
    """Return the reservation after a permitted wish."""
    if wish.action is Action.RELEASE:
        return None
    if wish.action is Action.FREEZE:
        return Reservation("", until, wish.why)
    if wish.action is Action.PUT and held and held.holder == person.name:
        # A redeploy does not shorten one's own reservation.
        return Reservation(
            person.name, max(until, held.until), wish.why or held.why, ref
        )
    if wish.action is Action.EXTEND and held:
        return Reservation(held.holder, until, held.why, held.ref)
    # Extending a reservation that has just ended reserves again.
    if wish.action in {Action.RESERVE, Action.EXTEND, Action.TAKE_OVER, Action.PUT}:
        return Reservation(person.name, until, wish.why, ref)
    return held


def _role(wish: Wish, person: Person, ground: Ground) -> DeniedError | None:
    if person.role < Role.DEPLOYER:
        return DeniedError(
            403, "You may look, but not change anything. Ask for the role deployer."
        )
    if not ground.accepts_any and person.role < Role.RELEASER:
        return DeniedError(403, f"Only a releaser may change {ground.name}.")
    if wish.action is Action.FREEZE and person.role < Role.RELEASER:
        return DeniedError(403, "Only a releaser may freeze an environment.")
    return None


def _reserved(
    wish: Wish, person: Person, ground: Ground, now: float
) -> DeniedError | None:
    held = active(ground.reservation, now)
    if wish.action is Action.TAKE_OVER and not wish.why.strip():
        return DeniedError(422, "Say why you take it over. Your reason is kept.")
    if held is None or wish.action is Action.TELL:
        return None
    if not held.holder:
        # Whoever may freeze may also unfreeze.
        if person.role >= Role.RELEASER and wish.action in CLAIMS:
            return None
        return DeniedError(
            409, f"{ground.name} is frozen until {clock(held.until, now)}: {held.why}"
        )
    if held.holder == person.name or wish.action is Action.TAKE_OVER:
        return None
    why = f": {held.why}" if held.why else ""
    return DeniedError(
        409, f"{held.holder} has {ground.name} until {clock(held.until, now)}{why}"
    )


def _moved(wish: Wish, ground: Ground) -> DeniedError | None:
    if wish.action in CLAIMS:
        return None
    seen, now = wish.seen, ground.state
    if wish.action is not Action.STOP:
        # A queue that moves on does not make the page outdated.
        seen, now = seen.rpartition(".")[0], now.rpartition(".")[0]
    if seen == now:
        return None
    return DeniedError(409, f"{ground.name} has changed since you looked.")


def _new(wish: Wish, ground: Ground) -> DeniedError | None:
    if wish.action is not Action.PUT or ground.accepts_any or not ground.first:
        return None
    sentence = f"{wish.ref} has not run on {ground.first} yet. Put it there first."
    return DeniedError(
        409, sentence, f"uv run trunkline deploy {wish.ref} --to {ground.first}"
    )


def _confirmed(wish: Wish, ground: Ground) -> DeniedError | None:
    # Stopping a release changes nothing that is serving.
    free = {*CLAIMS, Action.STOP}
    if ground.accepts_any or wish.action in free or wish.typed == ground.name:
        return None
    return DeniedError(422, f"Type {ground.name} to confirm.")
