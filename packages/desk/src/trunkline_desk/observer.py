"""Observe environments, and store snapshots for the pages."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import urllib3
from sqlalchemy import Connection
from trunkline.commits.conventional import shown
from trunkline.deploy.command import read_status
from trunkline.deploy.deployment import Deployment
from trunkline.deploy.listing import list_candidates
from trunkline.errors import Refusal, TrunklineError
from trunkline.git import QUIET
from trunkline.process import run
from trunkline.project import PYPROJECT
from trunkline.settings import read_settings

from trunkline_desk import actions, events, snapshots
from trunkline_desk.actions import DESK
from trunkline_desk.claims import Reservation, active, clock
from trunkline_desk.services import Place
from trunkline_desk.store import Store

LOOK_SECONDS = {snapshots.LIVE: 5.0, snapshots.CANDIDATES: 30.0}
_PATIENCE = 120.0
# The exit code of a `git fetch` that reached the remote and could not update every
# ref. A tag that was moved there stays as it is here; the branches are what counts.
_KEPT = 1


class Observer:
    """Takes a new snapshot of each environment when the last one is outdated."""

    def __init__(
        self, store: Store, places: Sequence[Place], now: Callable[[], float]
    ) -> None:
        self.store, self.now = store, now
        # What is done all the time, each in a thread of its own: whoever waits for a
        # remote does not keep anybody from seeing what serves.
        self.works = (self._watch_live, self._watch_candidates)
        # The later of two looks wins.
        self._looking = {
            (place.name, kind): threading.Lock()
            for place in places
            for kind in snapshots.KINDS
        }
        # The environments of a service share a clone, and two `git fetch` at once lock
        # each other out.
        self._fetching = {place.folder: threading.Lock() for place in places}

    def _watch_live(self, place: Place) -> None:
        if self._due(place, snapshots.LIVE):
            self.look(place, snapshots.LIVE)

    def _watch_candidates(self, place: Place) -> None:
        if self._due(place, snapshots.CANDIDATES):
            with self._fetching[place.folder]:
                problem = fetch(place)
            self.look(place, snapshots.CANDIDATES, problem)
        self.end_reservation(place)

    def _due(self, place: Place, kind: str) -> bool:
        with self.store.reading() as connection:
            tried = snapshots.read(connection, place.name, kind).tried
        # Negative if the clock was set back.
        return not 0 <= self.now() - tried < LOOK_SECONDS[kind]

    def look(self, place: Place, kind: str, problem: str = "") -> None:
        """Take a new snapshot, and update open pages if something changed.

        With a problem it is no newer than the last one.
        """
        with self._looking[place.name, kind]:
            now = self.now()
            with self.store.writing() as connection:
                before = snapshots.begin(connection, place.name, kind, now)
            found = ask(place, kind)
            if isinstance(found, str):
                problem, found = found, None
            live = found if kind == snapshots.LIVE else None
            if live is not None:
                live["flags"] = _flags(place) if live["well"] else {}
            with self.store.writing() as connection:
                what = (connection, place.name, kind, found)
                if snapshots.write(*what, at=now, problem=problem):
                    events.add(connection, place.name, "look", DESK, "", at=now)
                if live and live["commit"] != before.document.commit:
                    # Candidates are compared with it.
                    snapshots.look_again(connection, place.name, snapshots.CANDIDATES)

    def end_reservation(self, place: Place) -> None:
        """End a reservation in time or with its branch; nothing is deployed."""
        with self.store.reading() as connection:
            held = actions.ground(connection, place).reservation
            if held is None or not (why := self._ended(connection, place, held)):
                return
        with self.store.writing() as connection:
            # Somebody may have taken it over meanwhile.
            if actions.ground(connection, place).reservation != held:
                return
            what = f"{held.holder}'s reservation" if held.holder else "the freeze"
            text = f"ends {what} of {place.environment}: {why}"
            now = self.now()
            events.add(connection, place.name, "act", DESK, text, at=now)
            actions.hold(connection, place, None, now)

    def _ended(self, connection: Connection, place: Place, held: Reservation) -> str:
        """Return why a reservation has ended, or an empty text."""
        if active(held, self.now()) is None:
            return f"it was until {clock(held.until, self.now())}"
        found = snapshots.candidates(connection, place.name)
        if not held.ref or found.problem or not found.at:
            return ""
        listed = actions.listed(connection, place, held.ref)
        return "" if listed else f"{held.ref} is gone"


def fetch(place: Place) -> str:
    """Fetch from the git remote; returns the error, or an empty text.

    A clone without any remote has nothing to fetch.
    """
    where: dict[str, Any] = {"cwd": place.folder, "env": QUIET, "timeout": _PATIENCE}
    try:
        if not run(["git", "remote"], **where).text:
            return ""
        remote = read_settings(place.folder / PYPROJECT).remote
        command = ["git", "fetch", "--quiet", "--prune", "--tags", remote]
        answer = run(command, **where)
        said = "" if answer.code in {0, _KEPT} else answer.complaint
    except (TrunklineError, OSError) as error:
        said = str(error)
    lines = (line for line in said.split("\n") if not line.startswith("warning: "))
    return f"the remote does not answer: {shown(next(lines, said))}" if said else ""


def ask(place: Place, kind: str) -> Any:  # noqa: ANN401 - JSON
    """Run `trunkline status` or `candidates`; returns JSON, or the error as text.

    A process for each look, every few seconds, would take a tenth of a core.
    """
    try:
        found = Deployment(place.environment, folder=place.folder)
        if kind == snapshots.LIVE:
            return read_status(found)
        return [asdict(one) for one in list_candidates(found)]
    except Refusal as error:
        return f"found {error.found}"
    except (TrunklineError, OSError) as error:
        return str(error)


def _flags(place: Place) -> dict[str, bool]:
    """Ask the live version for its flags, which /version lists outside production."""
    try:
        answer = urllib3.request(
            "GET", f"{place.url}/version", timeout=5, retries=False
        )
        found = answer.json().get("flags") or {}
        return {str(name): bool(on) for name, on in found.items()}
    except (urllib3.exceptions.HTTPError, ValueError, AttributeError):
        return {}
