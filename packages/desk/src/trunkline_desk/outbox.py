"""Notifications: stored with the event, sent later, never delaying a deploy."""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from typing import Any

import urllib3
from sqlalchemy import Connection, insert, select, update

from trunkline_desk import github, requests, tables
from trunkline_desk.claims import Person
from trunkline_desk.services import Desk, Place
from trunkline_desk.store import Store

OUTBOX = tables.outbox
TRIES = 8


def tell(
    connection: Connection,
    place: Place,
    person: Person,
    text: str,
    why: str,
    *,
    at: float,
    request: int | None = None,
    event: str = "act",
    commit: str = "",
) -> None:
    """Store a message; the runner sends it to each hook that wants it.

    It tells of an `act`, of the `progress` of a request, or of its `end`.
    """
    message = {
        "event": event,
        "request": request,
        "commit": commit,
        "url": place.url,
        "production": not place.accepts_any,
        "service": place.service,
        "environment": place.environment,
        "person": person.name,
        "text": text,
        "why": why,
        "at": at,
    }
    row = {"hook": "", "body": json.dumps(message), "due": at}
    connection.execute(insert(OUTBOX).values(row))


def send(store: Store, desk: Desk, now: float) -> None:
    """Send what is due, and schedule a retry of what failed."""
    with store.writing() as connection:
        new = connection.execute(
            select(OUTBOX).where((OUTBOX.c.hook == "") & ~OUTBOX.c.done)
        ).all()
        for row in new:
            message = json.loads(row.body)
            for hook in (one for one in desk.hooks if wanted(one, message)):
                copy = {"hook": hook["url"], "body": row.body, "due": now}
                connection.execute(insert(OUTBOX).values(copy))
            these = OUTBOX.c.id == row.id
            connection.execute(update(OUTBOX).where(these).values(done=True))
    due = (OUTBOX.c.hook != "") & ~OUTBOX.c.done & (OUTBOX.c.due <= now)
    with store.reading() as connection:
        rows = connection.execute(select(OUTBOX).where(due).limit(20)).all()
    kinds = {hook["url"]: hook for hook in desk.hooks}
    for row in rows:
        tries = row.tries + 1
        values = {"done": tries >= TRIES, "tries": tries, "due": now + 5 * 2**tries}
        # Only one of two runners sends it.
        these = (OUTBOX.c.id == row.id) & (OUTBOX.c.tries == row.tries)
        with store.writing() as connection:
            claimed = connection.execute(update(OUTBOX).where(these).values(values))
        known = kinds.get(row.hook)
        if claimed.rowcount and (
            known is None or _arrived(store, desk, known, json.loads(row.body))
        ):
            these = OUTBOX.c.id == row.id
            with store.writing() as connection:
                connection.execute(update(OUTBOX).where(these).values(done=True))


def wanted(hook: Mapping[str, str], message: Mapping[str, Any]) -> bool:
    """Whether a hook wants this message. Pure."""
    if hook.get("service", message["service"]) != message["service"]:
        return False
    if hook.get("kind") == "github":
        return message["request"] is not None
    return bool(message["event"] != "progress")


def _arrived(
    store: Store, desk: Desk, hook: Mapping[str, str], message: Mapping[str, Any]
) -> bool:
    """Send a message; returns whether it is done."""
    try:
        if hook.get("kind") != "github":
            return _posted(hook, message)
        # The current status, so that a late message is not outdated.
        with store.reading() as connection:
            (one,) = requests.find(connection, id=message["request"])
        return github.arrived(hook, one, message, desk.url)
    except (urllib3.exceptions.HTTPError, ValueError):
        return False


def _posted(hook: Mapping[str, str], message: Mapping[str, Any]) -> bool:
    """Post a message, with a signature of its exact body."""
    body = json.dumps(shaped(hook.get("kind", "generic"), message)).encode()
    headers = {"Content-Type": "application/json"}
    if secret := os.environ.get(hook.get("secret", "")):
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers["X-Trunkline-Signature"] = f"sha256={signature}"
    answer = urllib3.request(
        "POST", hook["url"], body=body, headers=headers, timeout=5, retries=False
    )
    return 200 <= answer.status < 300  # noqa: PLR2004


def shaped(kind: str, message: Mapping[str, Any]) -> dict[str, object]:
    """Format a message for its receiver. Pure."""
    if kind != "slack":
        return dict(message)
    why = f" — {message['why']}" if message["why"] else ""
    text = f"*{message['service']}*: {message['person']} {message['text']}{why}"
    # Slack's markup.
    for character, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, name)
    return {"text": text}
