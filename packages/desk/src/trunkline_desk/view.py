"""What the pages show, as data: every sentence and every state."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, func, select
from trunkline.deploy.operation import DeployStep

from trunkline_desk import actions, events, flags, requests, snapshots, tables
from trunkline_desk.claims import Person, Role, active
from trunkline_desk.requests import REQUEST
from trunkline_desk.services import Place
from trunkline_desk.steps import ended_at, steps_of

# Older figures are not shown as current.
STALE_SECONDS = 30.0
DAY = 86400.0
SHOWN = 20
MORE = 100
RECENT = 10
EVENT = tables.event
# The steps after the switch.
LATE = DeployStep.WATCH, DeployStep.STOP


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
    target = next((one for one in mine if one.accepts_any), mine[0])
    found = snapshots.read(connection, target.name, snapshots.CANDIDATES)
    views = {one.name: place_view(connection, one, person, now) for one in mine}
    return {
        "service": service,
        "services": list(dict.fromkeys(one.service for one in places)),
        "newest": newest,
        "places": [*views.values()],
        # The environment for branches, and its commits ahead of the others.
        "target": target,
        "ahead": _ahead(found.document or [], views[target.name], views),
        **_ready(found, find, older),
        "past": history(connection, [*views], limit=RECENT),
        "days": days(connection, [*views], now),
    }


def _ready(found: snapshots.Snapshot, find: str, older: int) -> dict[str, Any]:
    """Return the candidates that match every word, starting at `older`."""
    words = find.lower().split()
    ready = [
        one
        for one in found.document or []
        if all(word in one["text"] for word in words)
    ]
    end = older + (MORE if older else SHOWN)
    return {
        "ready": ready[older:end],
        "start": older,
        "end": end,
        # How many more there are.
        "older": max(0, len(ready) - end),
        "ready_at": found.at,
        "ready_problem": found.problem,
        "find": find,
    }


def place_view(
    connection: Connection, place: Place, person: Person, now: float
) -> dict[str, Any]:
    """Read an environment: what is serving, who has it, and what may be done now."""
    seen = snapshots.read(connection, place.name, snapshots.LIVE)
    live = seen.document or {}
    ground = actions.ground(connection, place)
    held = active(ground.reservation, now)
    done = _ended(connection, place)
    listed = actions.listed(connection, place, live.get("ref") or "")
    subject, author = _origin(live, listed, done)
    stale = bool(seen.problem) or now - seen.at > STALE_SECONDS
    role = Role.DEPLOYER if place.accepts_any else Role.RELEASER
    work = _work(connection, place, done)
    return {
        "place": place,
        "health": "unseen" if stale else _health(live),
        "live": live,
        "subject": subject,
        "author": author,
        "newer": _newer(listed, live.get("commit")),
        "seen_at": seen.at,
        "problem": seen.problem,
        "held": held,
        "mine": held is not None and held.holder == person.name,
        # Whether the reader is notified when it is free.
        "told": bool(held) and person.name in actions.listeners(connection, place),
        **work,
        "outside": not work["running"] and _outside(live),
        # The rollback target.
        "before": _before(done, live),
        "state": ground.state,
        "may_change": person.role >= role,
        # Why the buttons are disabled, or empty.
        "off": "Until we can, nothing can be changed." if stale else "",
        "flags": flags.read(connection, place.name),
        "releases": [] if place.accepts_any else _releases(connection, place, live),
    }


def _work(
    connection: Connection, place: Place, done: Sequence[Row[Any]]
) -> dict[str, Any]:
    """Return the running and waiting requests, and how the last one ended."""
    begun = requests.find(connection, place=place.name, state="running")
    running = begun[0] if begun else None
    steps = steps_of(connection, running) if running else {}
    failed = done[0] if done and done[0].state != "done" else None
    return {
        "running": running,
        "steps": steps,
        # Whether the running request's candidate is serving already.
        "switched": "now" in {steps.get(one) for one in LATE},
        "waiting": requests.find(connection, place=place.name, state="waiting"),
        "failed": failed,
        # The step at which that ended.
        "failed_at": ended_at(connection, failed) if failed else "",
        "usual": _usual(done),
    }


def _ahead(
    listed: Sequence[dict[str, Any]],
    target: dict[str, Any],
    views: dict[str, dict[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Map environments to what they run that the one for releases lacks."""
    serves = target["live"].get("commit")
    behind = (o for o in listed if o["compared"] == serves and o["commits_out"])
    found = {one["commit"]: one for one in behind}
    return {
        name: found.get(one["live"].get("commit"), {}) for name, one in views.items()
    }


def _origin(
    live: dict[str, Any], listed: dict[str, Any] | None, done: Sequence[Row[Any]]
) -> tuple[str, str]:
    """Return the subject and author of the live version, if known."""
    if listed and listed["commit"] == live.get("commit"):
        return listed["subject"], listed["author"]
    for one in done:
        # A rollback has no subject of its own.
        if one.subject and one.commit == live.get("commit"):
            return one.subject, ""
    return "", ""


def _newer(listed: dict[str, Any] | None, commit: str | None) -> int:
    """Count the commits by which a branch is ahead of the live version."""
    moved = listed and listed["commit"] != commit and listed["compared"] == commit
    return listed.get("count_in", 0) if listed and moved else 0


def _health(live: dict[str, Any]) -> str:
    if not live.get("commit"):
        return "nothing"
    return "serving" if live.get("well") else "sick"


def _outside(live: dict[str, Any]) -> bool:
    """Whether something else is serving than what was deployed last."""
    recorded, commit = live.get("recorded"), live.get("commit")
    busy = live.get("running") or live.get("unfinished")
    return bool(commit and recorded and recorded["commit"] != commit and not busy)


def _releases(
    connection: Connection, place: Place, live: dict[str, Any]
) -> list[dict[str, Any]]:
    found = snapshots.read(connection, place.name, snapshots.CANDIDATES).document or []
    return [one for one in found if one["commit"] != live.get("commit")][:3]


def _ended(connection: Connection, place: Place) -> Sequence[Row[Any]]:
    these = (REQUEST.c.place == place.name) & REQUEST.c.state.in_(
        ("done", "failed", "refused")
    )
    newest = select(REQUEST).where(these).order_by(REQUEST.c.id.desc()).limit(50)
    return connection.execute(newest).all()


def _before(done: Sequence[Row[Any]], live: dict[str, Any]) -> dict[str, Any] | None:
    """Return the rollback target, as the journal has it."""
    found = live.get("before")
    told = (one.subject for one in done if found and one.commit == found["commit"])
    return found and {"subject": next(told, ""), **found}


def _usual(done: Sequence[Row[Any]]) -> float:
    """Return the median seconds of the last ten successes, given newest first."""
    good = [one for one in done if one.state == "done" and one.kind in {"put", "flag"}]
    taken = sorted(one.ended - one.began for one in good[:10])
    return taken[len(taken) // 2] if taken else 0.0


def history(
    connection: Connection, names: Sequence[str], *, limit: int, before: int = 0
) -> Sequence[Any]:
    """Return what people did, newest first, with the outcomes of their requests."""
    of = EVENT.outerjoin(REQUEST, EVENT.c.request == REQUEST.c.id)
    last = events.last(names, ("act", "told"), limit=limit, before=before)
    columns = (
        *(EVENT.c.id, EVENT.c.at, EVENT.c.place, EVENT.c.person, EVENT.c.by),
        *(EVENT.c.text, EVENT.c.why, EVENT.c.request),
        *(REQUEST.c.state, REQUEST.c.began, REQUEST.c.ended),
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


def document(view: dict[str, Any]) -> dict[str, Any]:
    """Return an environment as JSON for the API."""
    place, held, live = view["place"], view["held"], view["live"]
    return {
        "service": place.service,
        "environment": place.environment,
        "url": place.url,
        **{name: view[name] for name in ("health", "seen_at", "state", "subject")},
        **{name: live.get(name) for name in ("ref", "commit", "by")},
        "reservation": asdict(held) if held else None,
        "running": told(view["running"]) if view["running"] else None,
        "waiting": [told(one) for one in view["waiting"]],
        "flags": view["flags"],
    }


def told(row: Row[Any]) -> dict[str, Any]:
    """Return a request as JSON for the API."""
    names = ("id", "kind", "person", "ref", "commit", "state", "said")
    found = {name: row._mapping[name] for name in names}
    return found | {"options": json.loads(row.options or "[]")}
