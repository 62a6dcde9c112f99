"""Import the deploys from before the desk was set up, from their journal."""

from collections.abc import Iterable

from sqlalchemy import Connection, insert
from trunkline.deploy.operation import Operation, Outcome

from trunkline_desk import events, requests
from trunkline_desk.claims import Person, Role
from trunkline_desk.services import Place

# `by` of what was deployed before; other events have a way of signing in there.
JOURNAL = "journal"


def recall(connection: Connection, place: Place, journal: Iterable[Operation]) -> None:
    """Fill an empty history with the deploys that have ended.

    Those that begin from now on pass through the desk, wherever they are typed.
    """
    if connection.execute(events.last([place.name], ["act"], limit=1)).first():
        return
    for one in journal:
        if one.ending:
            _add(connection, place, one)


def _add(connection: Connection, place: Place, one: Operation) -> None:
    person = Person(one.by, Role.VIEWER, JOURNAL)
    # The journal does not record the options.
    row = {
        "key": f"{place.name} {one.name}",
        "place": place.name,
        "kind": "take back" if one.took_back else "put",
        "person": person.name,
        "by": person.by,
        "ref": one.candidate.ref,
        "commit": one.candidate.commit,
        "state": "done" if one.ending is Outcome.LIVE else "failed",
        "said": one.reason,
        "at": one.at,
        "began": one.at,
        "ended": one.at + one.seconds,
    }
    connection.execute(insert(requests.REQUEST).values(row))
    name = place.environment
    text = f"took {name} back" if one.took_back else f"put {row['ref']} on {name}"
    what = (connection, place.name, "act", person, text)
    events.add(*what, at=one.at, request=requests.newest(connection, place.name))
