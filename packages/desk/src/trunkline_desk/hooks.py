"""Tell webhooks and GitHub of the events, later, never delaying a deploy."""

import hashlib
import hmac
import html
import json
import os
from collections.abc import Sequence
from typing import Any

import urllib3
from sqlalchemy import Connection, Row, delete, insert, select, update

from trunkline_desk import events, requests, tables
from trunkline_desk.past import JOURNAL
from trunkline_desk.services import Desk, Hook, Place
from trunkline_desk.store import Store

DELIVERY, EVENT = tables.delivery, tables.event
TRIES = 8
# GitHub's state for each of ours.
STATES = {
    "waiting": "queued",
    "running": "in_progress",
    "done": "success",
    "failed": "failure",
    "refused": "error",
    "replaced": "inactive",
}
# GitHub refuses a longer description.
LONGEST = 140
# Of an answer of GitHub's.
_MOST_BYTES = 1_000_000


def send(store: Store, desk: Desk, places: Sequence[Place], now: float) -> None:
    """Send what is due, and schedule a retry of what failed."""
    with store.reading() as connection:
        new = events.newest(connection) > _last(connection)
    if new:
        with store.writing() as connection:
            _distribute(connection, desk, now)
    due = (DELIVERY.c.hook != "") & (DELIVERY.c.due <= now)
    with store.reading() as connection:
        rows = connection.execute(select(DELIVERY).where(due).limit(20)).all()
    for row in rows:
        tries = row.tries + 1
        this = {"event": row.event, "hook": row.hook}
        # Only one of two runners sends it.
        mine = update(DELIVERY).filter_by(**this, tries=row.tries)
        with store.writing() as connection:
            later = mine.values(tries=tries, due=now + 5 * 2**tries)
            claimed = connection.execute(later).rowcount
        if claimed and (_arrived(store, desk, places, row) or tries >= TRIES):
            with store.writing() as connection:
                connection.execute(delete(DELIVERY).filter_by(**this))


def _distribute(connection: Connection, desk: Desk, now: float) -> None:
    """Note which hook wants which of the events since the last time."""
    these = select(EVENT).where(EVENT.c.id > _last(connection)).order_by(EVENT.c.id)
    new = connection.execute(these).all()
    for one in new:
        for address in {hook.url for hook in desk.hooks if wanted(hook, one)}:
            row = {"event": one.id, "hook": address, "due": now}
            connection.execute(insert(DELIVERY).values(row))
    if new:
        tables.write(connection, DELIVERY, {"hook": ""}, event=new[-1].id, due=now)


def _last(connection: Connection) -> int:
    """Return the last event that was looked at, which the row without a hook has."""
    return connection.scalar(select(DELIVERY.c.event).filter_by(hook="")) or 0


def wanted(hook: Hook, event: Row[Any]) -> bool:
    """Whether a hook wants to know of an event; imported ones are no news. Pure."""
    if event.by == JOURNAL or hook.service not in {"", event.place.partition("/")[0]}:
        return False
    if hook.kind == "github":
        return event.request is not None and event.kind != "step"
    return event.kind in {"act", "tell", "told", "end"}


def _arrived(store: Store, desk: Desk, places: Sequence[Place], row: Row[Any]) -> bool:
    """Tell a hook of an event; returns whether that is done."""
    with store.reading() as connection:
        event = connection.execute(select(EVENT).filter_by(id=row.event)).one()
        # As it is now, so that a late message is not outdated.
        found = requests.find(connection, id=event.request)
    place = next((one for one in places if one.name == event.place), None)
    hook = next((one for one in desk.hooks if one.url == row.hook), None)
    if place is None or hook is None:
        return True
    try:
        if hook.kind == "github":
            return _shown(hook, found[0], place, desk.url)
        return _posted(hook, message(event, found, place))
    except (urllib3.exceptions.HTTPError, ValueError, LookupError, TypeError):
        # It does not answer, or not as GitHub does.
        return False


def message(
    event: Row[Any], found: Sequence[Row[Any]], place: Place
) -> dict[str, object]:
    """Describe an event, with its request if it has one. Pure."""
    one, ended, text = next(iter(found), None), event.kind == "end", event.text
    if one and ended:
        text = f"{one.kind} {one.ref or place.environment}: {text}"
    return {
        "event": "end" if ended else "act",
        "request": event.request,
        "commit": one.commit if one else "",
        "url": place.url,
        "production": not place.accepts_any,
        "service": place.service,
        "environment": place.environment,
        "person": event.person,
        "text": text,
        "why": event.why,
        "at": event.at,
    }


def _posted(hook: Hook, message: dict[str, object]) -> bool:
    """Post a message, with a signature of its exact body."""
    body = json.dumps(slack(message) if hook.kind == "slack" else message).encode()
    headers = {"Content-Type": "application/json"}
    if secret := os.environ.get(hook.secret):
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers["X-Trunkline-Signature"] = f"sha256={signature}"
    with _request(hook.url, "POST", headers=headers, body=body) as answer:
        return 200 <= answer.status < 300  # noqa: PLR2004


def slack(message: dict[str, object]) -> dict[str, object]:
    """Format a message for Slack. Pure."""
    why = f" — {message['why']}" if message["why"] else ""
    text = f"*{message['service']}*: {message['person']} {message['text']}{why}"
    # Its markup; a quotation mark is none.
    return {"text": html.escape(text, quote=False)}


def _shown(hook: Hook, one: Row[Any], place: Place, desk: str) -> bool:
    """Post a request's status to its Deployment, which is created once.

    `url` of the hook is that of the repository in GitHub's API, and `desk` ours.
    """
    # A rollback's commit may be known only when it has ended.
    if not one.commit:
        return True
    body = deployment(one, place)
    these = {name: body[name] for name in ("environment", "task")}
    found = _ask(hook, "GET", "/deployments", fields=these)
    if found is None:
        return False
    made = found[0] if found else _ask(hook, "POST", "/deployments", json=body)
    if made is None:
        return False
    path = f"/deployments/{made['id']}/statuses"
    return _ask(hook, "POST", path, json=status(one, place, desk)) is not None


def deployment(one: Row[Any], place: Place) -> dict[str, Any]:
    """Build the Deployment of a request. Pure."""
    return {
        "ref": one.commit,
        # Identifies the Deployment of this request.
        "task": f"deploy:{one.id}-{one.at:.0f}",
        # The deploy is running: GitHub should neither merge nor wait for checks.
        "auto_merge": False,
        "required_contexts": [],
        # A repository may hold several services.
        "environment": place.name,
        "production_environment": not place.accepts_any,
        "description": f"{one.person}: {one.why or one.subject or one.kind}"[:LONGEST],
    }


def status(one: Row[Any], place: Place, desk: str) -> dict[str, Any]:
    """Build the status of a Deployment. Pure."""
    said = (one.said or one.state).strip().splitlines()
    return {
        "state": STATES[one.state],
        "environment": place.name,
        "environment_url": place.url,
        "log_url": f"{desk}/{place.name}/requests/{one.id}",
        "description": said[-1][:LONGEST],
    }


def _ask(hook: Hook, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 - JSON
    """Call GitHub's API; None if that failed."""
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {os.environ.get(hook.secret, '')}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    with _request(hook.url + path, method, headers=headers, **more) as answer:
        found = answer.read(_MOST_BYTES)
        return json.loads(found) if 200 <= answer.status < 300 else None  # noqa: PLR2004


def _request(url: str, method: str, **more: Any) -> urllib3.BaseHTTPResponse:  # noqa: ANN401 - its options
    """Send a request, whose answer is read by the caller: it may never end."""
    return urllib3.request(
        method, url, timeout=5, retries=False, preload_content=False, **more
    )
