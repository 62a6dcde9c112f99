"""The only process that changes environments: carries out requests and observes."""

import os
import shlex
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row
from trunkline.deploy.deployment import Deployment
from trunkline.deploy.local_desk import LocalDesk, announce
from trunkline.deploy.lock import held
from trunkline.errors import Refusal
from trunkline.process import launched

from trunkline_desk import actions, events, hooks, past, people, requests, snapshots
from trunkline_desk.claims import Action, Person, Wish, denial
from trunkline_desk.execution import arrived, carry_out, lock_file
from trunkline_desk.observer import Observer
from trunkline_desk.services import DATABASE, Desk, Place
from trunkline_desk.store import Store

# Seconds before a retry.
_PAUSE = 2.0
_TICK = 0.02
ELSEWHERE = "It was begun in another clone. If that is gone, “Stop” ends it."


class Runner:
    """Serves the environments of a desk, each in a few threads."""

    def __init__(
        self, store: Store, desk: Desk, now: Callable[[], float] = time.time
    ) -> None:
        self.store, self.desk, self.now = store, desk, now
        self.places = desk.places()
        self.observer = Observer(store, self.places, now)
        self.over = threading.Event()
        # The newest event; only one thread asks for it.
        self.newest = 0
        # The environments whose clone has a record of this desk.
        self.invited: set[str] = set()

    def run(self) -> None:
        """Work until `over` is set and the running requests have ended."""
        # A take-back does not wait for the deploy that it takes back, and nothing that
        # was asked for waits for a look.
        works = (self._serve, self._back, *self.observer.works)
        threads = [
            threading.Thread(target=self._repeat, args=(work, one))
            for one in self.places
            for work in works
        ]
        for work, pause in ((self._send, 1.0), (self._look, _TICK)):
            threads.append(threading.Thread(target=self._again, args=(work, pause)))
        for thread in threads:
            thread.start()
        for thread in threads:
            # A signal reaches Python between two waits for certain.
            while thread.is_alive():
                thread.join(0.5)

    def _again(self, work: Callable[[], None], pause: float) -> None:
        while not self.over.wait(pause):
            self._guarded(work)

    def _send(self) -> None:
        hooks.send(self.store, self.desk, self.places, self.now())

    def _look(self) -> None:
        with self.store.reading() as connection:
            self.newest = events.newest(connection)

    def _repeat(self, work: Callable[[Place], bool | None], place: Place) -> None:
        while not self.over.is_set():
            seen, due = self.newest, time.monotonic() + 0.5
            if self._guarded(lambda: work(place)):
                continue
            # Time passes, too: looks become old, and reservations end.
            while self.newest == seen and time.monotonic() < due:
                if self.over.wait(_TICK):
                    return

    def _guarded[A](self, work: Callable[[], A]) -> A | None:
        """Do something, and on failure try again later."""
        try:
            return work()
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            print(f"trunkline-desk runner: {said}", file=sys.stderr, flush=True)
            self.over.wait(_PAUSE)
            return None

    def _serve(self, place: Place) -> bool:
        if place.name not in self.invited:
            invite(self.desk, place)
            self._recall(place)
            self.invited.add(place.name)
        self._adopt(place)
        return self._next(place, {"put", "flag", "accept"})

    def _recall(self, place: Place) -> None:
        journal = Deployment(place.environment, folder=place.folder).journal
        operations = journal.operations()
        with self.store.writing() as connection:
            past.recall(connection, place, operations)

    def _back(self, place: Place) -> bool:
        return self._next(place, {"take back"})

    def _next(self, place: Place, kinds: set[str]) -> bool:
        """Carry out the request that has waited longest, if any."""
        with self.store.reading() as connection:
            found = requests.find(connection, place=place.name, state="waiting")
        for one in found:
            # Unless another runner has it, or a command that outlived its own.
            if one.kind in kinds:
                file = lock_file(place, one.kind)
                with suppress(Refusal), held(file, "", wait=False) as lock:
                    return self._attend(place, one, lock)
        return False

    def _attend(self, place: Place, one: Row[Any], lock: int) -> bool:
        with self.store.writing() as connection:
            now = self.now()
            # A newer one may have replaced it, or another runner carried it out.
            if not requests.find(connection, id=one.id, state="waiting"):
                return True
            # Much may have changed since it was submitted.
            if why := self._denied(connection, place, one):
                requests.end(connection, one, "refused", why, at=now)
                return True
            begun = requests.find(connection, place=place.name, state="running")
            # A take-back waits for another one alone.
            if any(one.kind in {o.kind, "put", "flag", "accept"} for o in begun):
                return False
            os.ftruncate(lock, 0)
            os.pwrite(lock, one.key.encode(), 0)
            requests.begin(connection, one, now)
        state, said = carry_out(self.store, place, one, lock, self.now)
        # First a new snapshot, so that no page shows the end beside old facts.
        self.observer.look(place, snapshots.LIVE)
        self._end(one, state, said)
        return True

    def _end(self, one: Row[Any], state: str, said: str) -> None:
        with self.store.writing() as connection:
            requests.end(connection, one, state, said, at=self.now())

    def _denied(self, connection: Connection, place: Place, one: Row[Any]) -> str:
        role = people.role_now(connection, self.desk, one.person, one.by)
        person = Person(one.person, role, one.by)
        before = actions.ground(connection, place, one.ref)
        wish = Wish(
            action=Action(one.kind), seen=before.state, typed=before.name, ref=one.ref
        )
        found = denial(wish, person, before, self.now())
        return found.sentence if found else ""

    def _adopt(self, place: Place) -> None:
        """Determine from the facts how requests ended whose runner has died."""
        with self.store.reading() as connection:
            begun = requests.find(connection, place=place.name, state="running")
        for one in begun:
            file = lock_file(place, one.kind)
            # Another desk on this store has another clone, unless that was replaced and
            # somebody has seen that this does not go on.
            here = file.exists() and file.read_text("utf-8") == one.key
            if not (here or one.stopped or one.said):
                with self.store.writing() as connection:
                    requests.remark(connection, one, ELSEWHERE, at=self.now())
            # A command that outlives its runner has to end first.
            elif (here or one.stopped) and not launched(file):
                self._settle(place, one)

    def _settle(self, place: Place, one: Row[Any]) -> None:
        self.observer.look(place, snapshots.LIVE)
        with self.store.reading() as connection:
            seen = snapshots.live(connection, place.name)
        live = seen.document
        # Whoever cannot be asked may serve it, and so may what still deploys it.
        if not (seen.problem or live.running):
            runs = f"{place.environment} runs {(live.commit or 'nothing')[:12]}"
            state = "done" if arrived(one, live) else "failed"
            self._end(one, state, f"Nobody saw how it ended; {runs}")


def invite(desk: Desk, place: Place) -> None:
    """Record in an environment's clone how commands ask this desk."""
    # If the desk runs in a container, its host needs another command.
    program = shlex.split(os.environ.get("DESK_TERMINAL", ""))
    folder, needed = "/", list[str]()
    if not program:
        program = [sys.executable, "-m", "trunkline_desk"]
        program += ["--config", str(desk.file.resolve()), "decide"]
        folder = str(Path.cwd())
        needed = [DATABASE] if os.environ.get(DATABASE) else []
    page = f"{desk.url.rstrip('/')}/{place.service}"
    announce(LocalDesk(place.name, page, program, folder, needed), place.folder)
