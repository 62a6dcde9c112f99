"""The only process that changes environments: carries out requests and observes."""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row
from trunkline.deploy.deployment import Deployment
from trunkline.deploy.local_desk import state_folder
from trunkline.deploy.lock import held
from trunkline.git import Repository
from trunkline.process import launched

from trunkline_desk import (
    actions,
    events,
    outbox,
    outcomes,
    past,
    people,
    requests,
    snapshots,
    terminal,
)
from trunkline_desk.claims import Action, Person, Wish, denial
from trunkline_desk.observer import Observer, ask
from trunkline_desk.services import Desk, Place
from trunkline_desk.store import Store

# Seconds before a retry.
_PAUSE = 2.0
_BEAT = 0.5
_TICK = 0.02
_MOST_BYTES = 1_000_000


class Runner:
    """Serves the environments of a desk, each in a few threads."""

    def __init__(
        self,
        store: Store,
        desk: Desk,
        now: Callable[[], float] = time.time,
        *,
        silence: float = 3.0,
    ) -> None:
        """A runner without a heartbeat for `patience` seconds is taken for dead."""
        self.store, self.desk, self.now, self.silence = store, desk, now, silence
        self.places = desk.places()
        self.observer = Observer(store, self.places, now)
        self.over = threading.Event()
        # The newest event; only one thread asks for it.
        self.newest = 0
        # Identifies this runner in the store.
        self.name = secrets.token_hex(8)
        # The environments whose clone has a record of this desk.
        self.invited: set[str] = set()
        # The ids of the requests that this runner is carrying out.
        self.carrying: set[int] = set()
        # The last heartbeat of another runner's request, and when it changed.
        self.heard: dict[int, tuple[int, float]] = {}

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
        threads += [threading.Thread(target=o) for o in (self._send, self._notice)]
        for thread in threads:
            thread.start()
        while working := [thread for thread in threads if thread.is_alive()]:
            if self.carrying:
                self._guarded(self._beat)
            working[0].join(_BEAT)

    def _send(self) -> None:
        while not self.over.wait(1.0):
            self._guarded(lambda: outbox.send(self.store, self.desk, self.now()))

    def _notice(self) -> None:
        while not self.over.wait(_TICK):
            self._guarded(self._look)

    def _look(self) -> None:
        with self.store.reading() as connection:
            self.newest = events.newest(connection)

    def _beat(self) -> None:
        with self.store.writing() as connection:
            requests.beat(connection, self.name)

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
            terminal.invite(self.desk, place)
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
        mine = [one for one in found if one.kind in kinds]
        if not mine:
            return False
        try:
            return self._attend(place, mine[0])
        finally:
            self.carrying.discard(mine[0].id)

    def _attend(self, place: Place, one: Row[Any]) -> bool:
        with self.store.writing() as connection:
            now = self.now()
            # A newer one may have replaced it, or another runner taken it.
            if not requests.find(connection, id=one.id, state="waiting"):
                return True
            # Much may have changed since it was submitted.
            if why := self._denied(connection, place, one):
                what = (connection, place, one, "refused", why)
                outcomes.end(*what, at=now, runner=self.name)
                return True
            begun = requests.find(connection, place=place.name, state="running")
            if begun and one.kind != "take back":
                return False
            self.carrying.add(one.id)
            requests.begin(connection, one.id, self.name, now)
            outcomes.begin(connection, place, one, at=now)
        state, said = self._carry_out(place, one)
        # First a new snapshot, so that no page shows the end beside old facts.
        self.observer.look(place, snapshots.LIVE)
        self._end(place, one, state, said)
        return True

    def _end(self, place: Place, one: Row[Any], state: str, said: str) -> None:
        with self.store.writing() as connection:
            what = (connection, place, one, state, said)
            outcomes.end(*what, at=self.now(), runner=self.name)

    def _denied(self, connection: Connection, place: Place, one: Row[Any]) -> str:
        role = people.role_now(connection, self.desk, one.person, one.by)
        person = Person(one.person, role, one.by)
        before = actions.ground(connection, place, one.ref)
        wish = Wish(
            action=Action(one.kind), seen=before.state, typed=before.name, ref=one.ref
        )
        found = denial(wish, person, before, self.now())
        return found.sentence if found else ""

    def _carry_out(self, place: Place, one: Row[Any]) -> tuple[str, str]:
        """Run the command; returns the outcome and its last lines."""
        if one.kind == "take back":
            words = ["rollback", place.environment, "--wait"]
        elif one.kind == "accept":
            words = ["accept", place.environment]
        else:
            words = ["deploy", one.ref, "--to", place.environment, "--yes", "--wait"]
            words += ["--commit", one.commit, *json.loads(one.options)]
        lock = held(_lock(place, one.kind), "", wait=True)
        # A file, because a pipe would break with the runner.
        with lock as carried, tempfile.TemporaryFile() as output:
            child = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "trunkline", *words],
                cwd=place.folder,
                env=os.environ | {"TRUNKLINE_BY": one.person},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                # It goes on if the runner is killed: the next one waits for the lock,
                # and reads the outcome.
                pass_fds=[carried],
                start_new_session=True,
            )
            try:
                said = self._follow(place, one, child, output.fileno())
            finally:
                # If it cannot be followed, the facts say how it ended.
                child.wait()
        state = "done" if child.returncode == 0 else "failed"
        return state, "\n".join(outcomes.ending(said))

    def _follow(
        self, place: Place, one: Row[Any], child: subprocess.Popen[bytes], output: int
    ) -> list[str]:
        """Record a command's output until it exits, and return all of it."""
        said = 0
        stopped = False
        while True:
            over = child.poll() is not None
            lines = os.pread(output, _MOST_BYTES, 0).decode("utf-8", "replace")
            # The last line may be half written.
            found = lines.splitlines()[: None if over else lines.count("\n")]
            # If the store is away for a moment, it is recorded a moment later.
            if self._guarded(partial(self._write, place, one, found[said:])):
                said = len(found)
            if over:
                return found
            if not stopped and self._guarded(partial(self._stopped, one)):
                # Like Ctrl-C: the candidate is taken back.
                child.send_signal(signal.SIGINT)
                stopped = True
            time.sleep(0.1)

    def _write(self, place: Place, one: Row[Any], lines: list[str]) -> bool:
        if lines:
            with self.store.writing() as connection:
                for line in lines:
                    outcomes.add(connection, place, one, "step", line, at=self.now())
        return True

    def _stopped(self, one: Row[Any]) -> bool:
        with self.store.reading() as connection:
            return bool(requests.find(connection, id=one.id, stopped=True))

    def _adopt(self, place: Place) -> None:
        """Settle requests whose runner has died."""
        with self.store.reading() as connection:
            begun = requests.find(connection, place=place.name, state="running")
        for one in begun:
            if one.runner != self.name:
                if self._silent(one):
                    with self.store.writing() as connection:
                        requests.take_over(connection, one, self.name)
            elif one.id not in self.carrying:
                self._settle(place, one)

    def _silent(self, one: Row[Any]) -> bool:
        """Whether the runner of a request has died."""
        now = time.monotonic()
        beats, since = self.heard.get(one.id, (-1, now))
        if beats != one.beats:
            self.heard[one.id] = one.beats, now
            return False
        return now - since > self.silence

    def _settle(self, place: Place, one: Row[Any]) -> None:
        """Determine from the facts how an unobserved request ended."""
        # Whoever cannot be asked may serve it; a command that goes on has to end first,
        # and so has a deploy, whose lock is its own.
        found = "" if launched(_lock(place, one.kind)) else ask(place, snapshots.LIVE)
        if isinstance(found, str) or found["running"]:
            self._beat()
            self.over.wait(0.5)
            return
        state = "done" if outcomes.arrived(one, found) else "failed"
        text = f"Nobody saw how it ended; {place.environment} runs "
        text += (found["commit"] or "nothing")[:12]
        self._end(place, one, state, text)


def _lock(place: Place, kind: str) -> Path:
    """Return the file that a command of this kind locks until it ends."""
    folder = state_folder(Repository.find(place.folder), place.environment)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"desk-{kind.replace(' ', '-')}.lock"
