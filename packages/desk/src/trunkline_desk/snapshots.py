"""The runner's last observations: a page asks no engine and no registry."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from trunkline_desk import tables

SNAPSHOT = tables.snapshot
# The kinds: the status, and the candidates.
KINDS = LIVE, CANDIDATES = "live", "candidates"
# What was parsed last, with its digest: every page reads it, and 10,000 branches are
# 4 MB.
_parsed: dict[tuple[str, str], tuple[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document with its Unix time (0 if never), and the error that keeps it old."""

    document: Any
    digest: str
    at: float
    # When the runner last looked; 0 asks for a new look.
    tried: float
    problem: str


def read(connection: Connection, place: str, kind: str) -> Snapshot:
    """Return the newest document, which callers share and must not change."""
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
    """Record that the runner is looking, and return its last document."""
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
    """Store a document, or an error beside the last one; returns whether it changed.

    With a problem the time stays that of the last one without.
    """
    before = read(connection, place, kind)
    text = "" if document is None else json.dumps(document)
    digest = hashlib.sha256(text.encode()).hexdigest() if text else before.digest
    kept: dict[str, Any] = {"document": text, "digest": digest}
    tables.write(
        *(connection, SNAPSHOT, {"place": place, "kind": kind}),
        at=before.at if problem else at,
        # Keeps a request for another look that came meanwhile.
        tried=before.tried if before.at else at,
        problem=problem,
        **({} if digest == before.digest else kept),
    )
    return (digest, problem) != (before.digest, before.problem)


def look_again(connection: Connection, place: str, *kinds: str) -> None:
    """Ask the runner for a new snapshot."""
    these = (SNAPSHOT.c.place == place) & SNAPSHOT.c.kind.in_(kinds)
    connection.execute(update(SNAPSHOT).where(these).values(tried=0.0))


def _parse(kind: str, text: str) -> Any:  # noqa: ANN401 - JSON
    found = json.loads(text or "null")
    for one in found or () if kind == CANDIDATES else ():
        # The text that a search looks at.
        one["text"] = "{subject} {ref} {author}".format(**one).lower()
    return found
