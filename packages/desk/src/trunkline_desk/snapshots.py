"""What the runner saw last, and when: a page asks no engine and no registry."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from trunkline_desk import tables

SNAPSHOT = tables.snapshot
# What serves, and what can be put on.
KINDS = LIVE, CANDIDATES = "live", "candidates"
# What was parsed last, with its digest: every page reads it, and 10,000 branches are
# 4 MB.
_parsed: dict[tuple[str, str], tuple[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document with its time (seconds, UTC; 0 if never), and why it is old."""

    document: Any
    digest: str
    at: float
    # When the runner looked last; 0 lets it look as soon as it can.
    tried: float
    problem: str


def read(connection: Connection, place: str, kind: str) -> Snapshot:
    """Return the newest document that could be read; many share it, so change none."""
    these = (SNAPSHOT.c.place == place) & (SNAPSHOT.c.kind == kind)
    columns = SNAPSHOT.c["digest", "at", "tried", "problem"]
    row = connection.execute(select(*columns).where(these)).first()
    if row is None:
        return Snapshot(None, "", 0, 0, "")
    digest, document = _parsed.get((place, kind), ("", None))
    if digest != row.digest:
        found = select(*SNAPSHOT.c["digest", "document"]).where(these)
        digest, text = connection.execute(found).one()
        document = _parse(kind, text)
        _parsed[place, kind] = digest, document
    return Snapshot(document, digest, row.at, row.tried, row.problem)


def begin(connection: Connection, place: str, kind: str, at: float) -> Snapshot:
    """Note that the runner looks now, and return what it saw last."""
    before = read(connection, place, kind)
    key = {"place": place, "kind": kind}
    tables.write(connection, SNAPSHOT, key, at=before.at, tried=at)
    return before


def write(
    connection: Connection,
    place: str,
    kind: str,
    document: object,
    *,
    at: float,
    problem: str = "",
) -> bool:
    """Keep a document, or the last one for want of any; returns whether it changed.

    With a problem the time stays that of the last one without.
    """
    before = read(connection, place, kind)
    text = "" if document is None else json.dumps(document)
    digest = hashlib.sha256(text.encode()).hexdigest() if text else before.digest
    kept: dict[str, Any] = {"document": text, "digest": digest}
    tables.write(
        *(connection, SNAPSHOT, {"place": place, "kind": kind}),
        at=before.at if problem else at,
        # Whoever asked for another look meanwhile gets it.
        tried=before.tried if before.at else at,
        problem=problem,
        **({} if digest == before.digest else kept),
    )
    return (digest, problem) != (before.digest, before.problem)


def look_again(connection: Connection, place: str, *kinds: str) -> None:
    """Let the runner look as soon as it can."""
    these = (SNAPSHOT.c.place == place) & SNAPSHOT.c.kind.in_(kinds)
    connection.execute(update(SNAPSHOT).where(these).values(tried=0.0))


def _parse(kind: str, text: str) -> Any:  # noqa: ANN401 - JSON
    found = json.loads(text or "null")
    for one in found or () if kind == CANDIDATES else ():
        # What words are looked for in.
        one["text"] = "{subject} {ref} {author}".format(**one).lower()
    return found
