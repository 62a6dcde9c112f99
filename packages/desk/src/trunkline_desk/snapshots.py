"""What the runner saw last, and when: a page asks no engine and no registry."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, delete, select, update

from trunkline_desk import tables

SNAPSHOT = tables.snapshot
# What serves, and what can be put on.
LIVE, CANDIDATES = "live", "candidates"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document with its time (seconds, UTC; 0 if never), and why it is old."""

    document: Any
    at: float
    problem: str


def read(connection: Connection, place: str, kind: str) -> Snapshot:
    """Return the newest document that could be read; many share it, so change none."""
    these = (SNAPSHOT.c.place == place) & (SNAPSHOT.c.kind == kind)
    row = connection.execute(select(SNAPSHOT).where(these)).first()
    if row is None:
        return Snapshot(None, 0, "")
    return Snapshot(_parsed(row.document or "null"), row.at, row.problem)


def write(
    connection: Connection,
    place: str,
    kind: str,
    document: object,
    *,
    at: float,
    problem: str = "",
) -> bool:
    """Keep a document, or only why there is none; returns whether anything changed."""
    before = read(connection, place, kind)
    kept = before.document if problem else document
    tables.write(
        *(connection, SNAPSHOT, {"place": place, "kind": kind}),
        at=before.at if problem else at,
        tried=at,
        document=json.dumps(kept),
        problem=problem,
    )
    return (kept, problem) != (before.document, before.problem)


def tried(connection: Connection, place: str, kind: str) -> float:
    """Return when the runner looked last."""
    these = (SNAPSHOT.c.place == place) & (SNAPSHOT.c.kind == kind)
    return connection.scalar(select(SNAPSHOT.c.tried).where(these)) or 0.0


def look_again(connection: Connection, place: str) -> None:
    """Let the runner look as soon as it can."""
    connection.execute(
        update(SNAPSHOT).where(SNAPSHOT.c.place == place).values(tried=0.0)
    )


def forget(connection: Connection, places: set[str]) -> None:
    """Remove what is about environments that are configured no more."""
    connection.execute(delete(SNAPSHOT).where(SNAPSHOT.c.place.not_in(places)))


@lru_cache(maxsize=32)
def _parsed(text: str) -> Any:  # noqa: ANN401 - JSON
    # Every page reads it, and 10,000 branches are 4 MB.
    return json.loads(text)
