"""The columns of the tables; `migrations` has their types. Times are seconds, UTC.

A `place` is SERVICE/ENVIRONMENT everywhere.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnClause,
    Connection,
    TableClause,
    column,
    insert,
    table,
    update,
)


def _of(name: str, columns: str, *switches: str) -> TableClause:
    found: list[ColumnClause[Any]] = [column(one) for one in columns.split()]
    return table(name, *found, *(column(one, Boolean) for one in switches))


def write(
    connection: Connection, into: TableClause, key: Mapping[str, str], **values: object
) -> None:
    """Update the row with this key, or insert it."""
    these = update(into).filter_by(**key)
    if not connection.execute(these.values(values)).rowcount:
        connection.execute(insert(into).values({**key, **values}))


# A session or token is stored as the SHA-256 of the cookie's or header's value.
person = _of("person", "name password role", "removed")
session = _of("session", "token person by until")
token = _of("token", "token name role")
attempt = _of("attempt", "id at account address")
reservation = _of("reservation", "place holder until why ref")
# The key is that of the form; options are JSON.
request = _of(
    "request",
    "id key place kind person by ref commit subject options why at state began ended "
    "said",
    "stopped",
)
# Append-only; each event updates the open pages.
event = _of("event", "id at place kind person by text why request key wish")
# The document's time, and the runner's last attempt.
snapshot = _of("snapshot", "place kind at tried document digest problem")
# What a hook, by its address, is told of, and when it is tried next.
delivery = _of("delivery", "event hook tries due")
