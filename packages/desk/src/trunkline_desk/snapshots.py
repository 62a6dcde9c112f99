"""The runner's last observations: a page asks no engine and no registry."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, select, update
from trunkline.deploy.listing import Listed

from trunkline_desk import tables

SNAPSHOT = tables.snapshot
# The kinds: the status, and the candidates.
KINDS = LIVE, CANDIDATES = "live", "candidates"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deploy in the environment's journal."""

    ref: str
    commit: str


@dataclass(frozen=True, slots=True)
class Live:
    """What `trunkline status` and /version say about an environment."""

    commit: str | None = None
    ref: str | None = None
    by: str | None = None
    since: datetime | None = None
    well: bool = False
    running: str | None = None
    progress: str | None = None
    unfinished: str | None = None
    needs_human: str | None = None
    # The last good deploy, and what a rollback would return to.
    recorded: Deployed | None = None
    before: Deployed | None = None
    flags: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot[D]:
    """A document with its Unix time (0 if never), and the error that keeps it old."""

    document: D
    digest: str = ""
    at: float = 0.0
    # When the runner last looked; 0 asks for a new look.
    tried: float = 0.0
    problem: str = ""


_PARSERS: dict[str, TypeAdapter[Any]] = {
    LIVE: TypeAdapter(Live),
    CANDIDATES: TypeAdapter(list[Listed]),
}
_EMPTY: dict[str, Any] = {LIVE: Live(), CANDIDATES: []}
# What was parsed last, with its digest: every page reads it, and 10,000 branches are
# 4 MB.
_parsed: dict[tuple[str, str], tuple[str, Any]] = {}


def live(connection: Connection, place: str) -> Snapshot[Live]:
    """Return what an environment serves."""
    return read(connection, place, LIVE)


def candidates(connection: Connection, place: str) -> Snapshot[list[Listed]]:
    """Return what can be deployed, which callers share and must not change."""
    return read(connection, place, CANDIDATES)


def read(connection: Connection, place: str, kind: str) -> Snapshot[Any]:
    """Return the newest document of a kind."""
    these = (SNAPSHOT.c.place == place) & (SNAPSHOT.c.kind == kind)
    columns = SNAPSHOT.c["digest", "at", "tried", "problem"]
    row = connection.execute(select(*columns).where(these)).first()
    if row is None:
        return Snapshot(_EMPTY[kind])
    digest, document = _parsed.get((place, kind), ("", _EMPTY[kind]))
    if digest != row.digest:
        found = select(*SNAPSHOT.c["digest", "document"]).where(these)
        digest, text = connection.execute(found).one()
        try:
            document = _PARSERS[kind].validate_json(text) if text else _EMPTY[kind]
        except ValidationError:
            # Another version of the desk has written it.
            return Snapshot(_EMPTY[kind])
        _parsed[place, kind] = digest, document
    return Snapshot(document, *row)


def begin(connection: Connection, place: str, kind: str, at: float) -> Snapshot[Any]:
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
