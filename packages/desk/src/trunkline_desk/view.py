"""What the pages show, as data: every sentence and every state."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select
from trunkline.deploy.listing import Listed
from trunkline.deploy.operation import DeployStep

from trunkline_desk import actions, events, requests, snapshots
from trunkline_desk.claims import Person, Reservation, Role, active
from trunkline_desk.events import EVENT
from trunkline_desk.requests import REQUEST, steps_of
from trunkline_desk.services import Place
from trunkline_desk.snapshots import Live, Snapshot

# Older figures are not shown as current.
STALE_SECONDS = 30.0
DAY = 86400.0
SHOWN = 20
MORE = 100
RECENT = 10
# The steps after the switch.
LATE = DeployStep.WATCH, DeployStep.STOP


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceView:
    """What is serving on an environment, who has it, and what may be done now."""

    place: Place
    seen: Snapshot[Live]
    # Nothing can be changed while it cannot be seen.
    stale: bool
    # The branch or release that is serving, as it is now.
    listed: Listed | None
    held: Reservation | None
    mine: bool
    # Whether the reader is notified when it is free.
    told: bool
    running: Row[Any] | None
    steps: dict[str, str]
    waiting: Sequence[Row[Any]]
    # The last requests that have ended, newest first.
    done: Sequence[Row[Any]]
    # The step at which the last one failed.
    failed_at: str
    state: str
    may_change: bool
    flags: dict[str, bool]
    releases: list[Listed]

    @property
    def live(self) -> Live:
        """The last status that was seen."""
        return self.seen.document

    @property
    def health(self) -> str:
        """The word for how it is."""
        if self.stale or not self.live.commit:
            return "unseen" if self.stale else "nothing"
        return "serving" if self.live.well else "sick"

    @property
    def outside(self) -> bool:
        """Whether something else is serving than what was deployed last."""
        live = self.live
        if self.running or live.running or live.unfinished or live.recorded is None:
            return False
        return bool(live.commit) and live.commit != live.recorded.commit

    @property
    def newer(self) -> int:
        """By how many commits its branch is ahead."""
        one, commit = self.listed, self.live.commit
        return one.count_in if one and one.commit != commit == one.compared else 0

    @property
    def author(self) -> str:
        """Who wrote the commit that serves, if known."""
        return self._unmoved.author if self._unmoved else ""

    @property
    def subject(self) -> str:
        """The subject of the commit that serves, if known."""
        if self._unmoved:
            return self._unmoved.subject
        return self.subject_of(self.live.commit)

    @property
    def _unmoved(self) -> Listed | None:
        """The branch or release that serves, unless it has moved since."""
        one = self.listed
        return one if one and one.commit == self.live.commit else None

    def subject_of(self, commit: str | None) -> str:
        """Return the subject with which a commit was put on."""
        # A rollback has no subject of its own.
        return next(
            (o.subject for o in self.done if o.subject and o.commit == commit), ""
        )

    @property
    def switched(self) -> bool:
        """Whether the running request's candidate is serving already."""
        return "now" in {self.steps.get(one) for one in LATE}

    @property
    def failed(self) -> Row[Any] | None:
        """The last request, unless it was done."""
        return next((one for one in self.done[:1] if one.state != "done"), None)

    @property
    def usual(self) -> float:
        """The median seconds of the last ten successes."""
        kinds = {"put", "flag"}
        good = [o for o in self.done if o.state == "done" and o.kind in kinds]
        taken = sorted(one.ended - one.began for one in good[:10])
        return taken[len(taken) // 2] if taken else 0.0

    def document(self) -> dict[str, Any]:
        """Return it as JSON for the API."""
        return {
            "service": self.place.service,
            "environment": self.place.environment,
            "url": self.place.url,
            "health": self.health,
            "seen_at": self.seen.at,
            "state": self.state,
            "subject": self.subject,
            "ref": self.live.ref,
            "commit": self.live.commit,
            "by": self.live.by,
            "reservation": asdict(self.held) if self.held else None,
            "running": told(self.running) if self.running else None,
            "waiting": [told(one) for one in self.waiting],
            "flags": self.flags,
        }


def place_view(
    connection: Connection, place: Place, person: Person, now: float
) -> PlaceView:
    """Read an environment."""
    seen = snapshots.live(connection, place.name)
    ground = actions.ground(connection, place)
    held = active(ground.reservation, now)
    running = next(iter(_find(connection, place, "running")), None)
    done = _ended(connection, place)
    failed = done and done[0].state != "done" and done[0].began
    steps = steps_of(connection, done[0]) if failed else {}
    candidates = snapshots.candidates(connection, place.name).document
    others = [one for one in candidates if one.commit != seen.document.commit][:3]
    return PlaceView(
        place=place,
        seen=seen,
        stale=bool(seen.problem) or now - seen.at > STALE_SECONDS,
        listed=actions.listed(connection, place, seen.document.ref or ""),
        held=held,
        mine=held is not None and held.holder == person.name,
        told=bool(held) and person.name in actions.listeners(connection, place),
        running=running,
        steps=steps_of(connection, running) if running else {},
        waiting=_find(connection, place, "waiting"),
        done=done,
        failed_at=next((name for name, how in steps.items() if how == "now"), ""),
        state=ground.state,
        may_change=person.role
        >= (Role.DEPLOYER if place.accepts_any else Role.RELEASER),
        flags=requests.flags(connection, place.name),
        releases=[] if place.accepts_any else others,
    )


def page(
    connection: Connection,
    places: Sequence[Place],
    person: Person,
    now: float,
    *,
    service: str,
    find: str = "",
    older: int = 0,
) -> dict[str, Any]:
    """Read everything that a service's page shows."""
    # First, so that the page is told about changes made meanwhile.
    newest = events.newest(connection)
    mine = [one for one in places if one.service == service]
    views = {one.name: place_view(connection, one, person, now) for one in mine}
    target = next((one for one in mine if one.accepts_any), mine[0])
    found = snapshots.candidates(connection, target.name)
    ready = _matching(found.document, find)
    end = older + (MORE if older else SHOWN)
    return {
        "service": service,
        "services": list(dict.fromkeys(one.service for one in places)),
        "newest": newest,
        "places": [*views.values()],
        # The environment for branches, and its commits ahead of the others.
        "target": target,
        "ahead": _ahead(found.document, views[target.name], views),
        "ready": ready[older:end],
        "ready_at": found.at,
        "ready_problem": found.problem,
        "find": find,
        "start": older,
        "end": end,
        # How many more there are.
        "older": max(0, len(ready) - end),
        "past": history(connection, [*views], limit=RECENT),
        "days": days(connection, [*views], now),
    }


def _matching(found: list[Listed], find: str) -> list[Listed]:
    """Return the candidates that have every word. Pure."""
    words = find.lower().split()
    if not words:
        return found
    texts = ((one, f"{one.subject} {one.ref} {one.author}".lower()) for one in found)
    return [one for one, text in texts if all(word in text for word in words)]


def _ahead(
    listed: Sequence[Listed], target: PlaceView, views: Mapping[str, PlaceView]
) -> dict[str, Listed | None]:
    """Map environments to what they run that the one for releases lacks. Pure."""
    serves = target.live.commit
    behind = (one for one in listed if one.compared == serves and one.commits_out)
    found = {one.commit: one for one in behind}
    return {name: found.get(one.live.commit or "") for name, one in views.items()}


def _find(connection: Connection, place: Place, state: str) -> Sequence[Row[Any]]:
    return requests.find(connection, place=place.name, state=state)


def _ended(connection: Connection, place: Place) -> Sequence[Row[Any]]:
    these = REQUEST.c.state.in_(("done", "failed", "refused"))
    found = select(REQUEST).filter_by(place=place.name).where(these)
    return connection.execute(found.order_by(REQUEST.c.id.desc()).limit(50)).all()


def history(
    connection: Connection, names: Sequence[str], *, limit: int, before: int = 0
) -> Sequence[Any]:
    """Return what people did, newest first, with the outcomes of their requests."""
    of = EVENT.outerjoin(REQUEST, EVENT.c.request == REQUEST.c.id)
    kinds = ("act", "denied", "told")
    last = events.last(names, kinds, limit=limit, before=before)
    columns = (
        *EVENT.c["id", "at", "place", "person", "by", "text", "why", "request"],
        *REQUEST.c["state", "began", "ended"],
    )
    found = select(*columns).select_from(of).where(EVENT.c.id.in_(last))
    return connection.execute(found.order_by(EVENT.c.id.desc()).limit(limit)).all()


def days(connection: Connection, names: Sequence[str], now: float) -> list[int]:
    """Count the deploys of each of the last 28 days, oldest first."""
    first = now - 28 * DAY
    these = REQUEST.c.place.in_(names) & (REQUEST.c.at > first)
    # There is no portable SQL function that rounds down.
    day = func.round((REQUEST.c.at - first) / DAY - 0.5).label("day")
    counted = select(day, func.count()).where(these).group_by(day)
    counts = [0] * 28
    for number, count in connection.execute(counted):
        counts[min(27, int(number))] += count
    return counts


def told(row: Row[Any]) -> dict[str, Any]:
    """Return a request as JSON for the API."""
    names = ("id", "kind", "person", "ref", "commit", "state", "said")
    found = {name: row._mapping[name] for name in names}
    return found | {"options": json.loads(row.options or "[]")}
