"""The steps of a request, from the output of its command."""

from typing import Any

from sqlalchemy import Connection, Row, select
from trunkline.deploy.operation import DeployStep

from trunkline_desk import tables

# At first a command starts, waits for the lock and resolves the candidate.
STEPS = ("prepare", *(one.value for one in DeployStep))
EVENT = tables.event


def steps_of(connection: Connection, request: Row[Any]) -> dict[str, str]:
    """Return the state of each step: `done`, `now` or `later`."""
    these = (EVENT.c.request == request.id) & (EVENT.c.kind == "step")
    said = {row.text for row in connection.execute(select(EVENT.c.text).where(these))}
    begun = [number for number, name in enumerate(STEPS) if name in said]
    if not begun and request.kind == "take back":
        # During the window, a rollback is one rename.
        return {}
    last = begun[-1] if begun else 0
    return {
        name: "done" if n < last else "now" if n == last else "later"
        for n, name in enumerate(STEPS)
    }


def ended_at(connection: Connection, request: Row[Any]) -> str:
    """Return the step at which a request ended, or an empty text."""
    found = steps_of(connection, request) if request.began else {}
    return next((name for name, state in found.items() if state == "now"), "")
