"""Who may change an environment now: the one rule for page, API and scripts. Pure."""

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
    """What can be done to an environment."""

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


# Two weeks: whoever wants an environment for longer needs one of their own.
LONGEST_HOURS = 336.0
# What leaves alone what serves.
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
    """Who acts, and the way in: a password, a single sign-on, a token, a terminal."""

    name: str
    role: Role
    by: str


@dataclass(frozen=True, slots=True)
class Reservation:
    """Who has an environment until when (seconds, UTC); nobody means a freeze."""

    holder: str
    until: float
    why: str
    # It ends with this branch.
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known about an environment when somebody wants to change it."""

    name: str
    accepts_any: bool
    reservation: Reservation | None
    # What a page shows is only worth a click while this is the same: the commit that
    # serves, the newest request and, for who stops it, the one that is running.
    state: str
    # The environment on which what is wished has to run first; empty if it has.
    first: str = ""


class Wish(BaseModel):
    """What somebody wants, as it comes over the wire; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Action
    # Repeat a wish with its key, and it is carried out once.
    key: str = Field(default="", max_length=64)
    # The `state` that was read before.
    seen: str = Field(default="", max_length=200)
    why: str = Field(default="", max_length=500)
    # What was typed to confirm a change of an environment for releases.
    typed: str = Field(default="", max_length=100)
    ref: str = Field(default="", max_length=300)
    commit: str = Field(default="", max_length=64)
    hours: float = Field(default=4.0, gt=0, le=LONGEST_HOURS)
    flag: str = Field(default="", max_length=100)
    value: bool = False
    # The option of `trunkline deploy` for a database with migrations of another branch.
    database: str = Field(default="", pattern="^((own|new)-database|downgrade)?$")


class DeniedError(Exception):
    """Why not: an HTTP status, a sentence for people, and what to type instead."""

    def __init__(self, status: int, sentence: str, fix: str = "") -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.fix = status, sentence, fix


def clock(seconds: float, now: float) -> str:
    """Write a time for a sentence, with the date where that is not today's."""
    when, today = (datetime.fromtimestamp(one, UTC) for one in (seconds, now))
    time = f"{when:%H:%M} UTC"
    if when.date() == today.date():
        return time
    year = "" if when.year == today.year else f"{when.year} "
    return f"{when.day} {when:%b} {year}{time}"


def active(reservation: Reservation | None, now: float) -> Reservation | None:
    """Return a reservation that has not ended."""
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
    """Return who has the environment once a wish that was not denied is carried out."""
    if wish.action is Action.RELEASE:
        return None
    if wish.action is Action.FREEZE:
        return Reservation("", until, wish.why)
    if wish.action is Action.PUT and held and held.holder == person.name:
        # Whoever redeploys keeps what they have been promised.
        return Reservation(
            person.name, max(until, held.until), wish.why or held.why, ref
        )
    if wish.action is Action.EXTEND and held:
        return Reservation(held.holder, until, held.why, held.ref)
    # To keep what has ended meanwhile, and nobody else has, is to reserve it.
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
        # Who may freeze may also end it.
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
        # A queue that moves on changes nothing for who adds to it.
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
    # Whoever stops a release changes nothing that serves.
    free = {*CLAIMS, Action.STOP}
    if ground.accepts_any or wish.action in free or wish.typed == ground.name:
        return None
    return DeniedError(422, f"Type {ground.name} to confirm.")
