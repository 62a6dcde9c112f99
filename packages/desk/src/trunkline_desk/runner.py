"""The only process that changes environments: carries out requests, and looks."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row
from trunkline.deploy.orders import shown_time
from trunkline.deploy.variables import LAST_LINES

from trunkline_desk import (
    actions,
    events,
    flags,
    outbox,
    people,
    requests,
    snapshots,
    terminal,
)
from trunkline_desk.claims import Action, Person, Role, Wish, denial
from trunkline_desk.observer import Observer, ask
from trunkline_desk.services import Desk, Place
from trunkline_desk.store import Store

# Seconds until something is tried again that failed.
_PAUSE = 2.0
WHY = "trunkline: "
_MOST_BYTES = 1_000_000


class Runner:
    """Serves the environments of a desk, each of them in a few threads."""

    def __init__(
        self, store: Store, desk: Desk, now: Callable[[], float] = time.time
    ) -> None:
        self.store, self.desk, self.now = store, desk, now
        self.places = desk.places()
        self.observer = Observer(store, self.places, now)
        self.over = threading.Event()
        # Where the outcome of what a runner had begun and left is known.
        self.adopted: set[str] = set()
        # The requests, by number, that a thread of this runner carries out.
        self.carrying: set[int] = set()

    def run(self) -> None:
        """Work until `over` is set."""
        # A take-back does not wait for the deploy that it takes back, and nothing that
        # was asked for waits for a look.
        works = (self._serve, self._back, *self.observer.works)
        threads = [
            threading.Thread(target=self._repeat, args=(work, one))
            for one in self.places
            for work in works
        ]
        for thread in threads:
            thread.start()
        while not self.over.wait(1.0):
            self._guarded(lambda: outbox.send(self.store, self.desk, self.now()))
        for thread in threads:
            thread.join()

    def _repeat(self, work: Callable[[Place], bool | None], place: Place) -> None:
        while not self.over.is_set():
            if not self._guarded(lambda: work(place)):
                self.over.wait(0.1)

    def _guarded[A](self, work: Callable[[], A]) -> A | None:
        """Do something that is done again later if it fails now."""
        try:
            return work()
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            print(f"trunkline-desk runner: {said}", file=sys.stderr, flush=True)
            self.over.wait(_PAUSE)
            return None

    def _serve(self, place: Place) -> bool:
        with self._doubting(place):
            if place.name not in self.adopted:
                # Before it looks, as `_back` may leave something meanwhile.
                self.adopted.add(place.name)
                terminal.invite(self.desk, place)
                self._adopt(place)
            return self._next(place, {"put", "flag", "accept"})

    def _back(self, place: Place) -> bool:
        with self._doubting(place):
            return self._next(place, {"take back"})

    @contextmanager
    def _doubting(self, place: Place) -> Iterator[None]:
        """After an error let `_adopt` read how that ended which may have begun."""
        try:
            yield
        except Exception:
            self.adopted.discard(place.name)
            raise

    def _next(self, place: Place, kinds: set[str]) -> bool:
        """Carry out the request that waits longest, if there is one."""
        with self.store.reading() as connection:
            found = requests.waiting(connection, place.name)
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
            # A newer one may have replaced it, or another runner begun it.
            found = requests.read(connection, one.id)
            if found is None or found.state != "waiting":
                return True
            # Much may have changed since it was asked for.
            if why := self._denied(connection, place, one):
                self._end(connection, place, one, "refused", why)
                return True
            if one.kind != "take back" and requests.running(connection, place.name):
                return False
            self.carrying.add(one.id)
            requests.begin(connection, one.id, now)
            self._event(connection, place, one, "step", "begins")
            self._tell(connection, place, one, "progress", "begins")
        state, said = self._carry_out(place, one)
        # First what serves now: a page must not show the end beside the old facts.
        self.observer.look(place, snapshots.LIVE)
        with self.store.writing() as connection:
            self._end(connection, place, one, state, said)
        return True

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
        """Run the command to its end; return how it ended, and its last lines."""
        if one.kind == "take back":
            words = ["rollback", place.environment, "--wait"]
        elif one.kind == "accept":
            words = ["accept", place.environment]
        else:
            words = ["deploy", one.ref, "--to", place.environment, "--yes", "--wait"]
            words += ["--commit", one.commit, *json.loads(one.options)]
        # A file, and not a pipe, which would break with the runner.
        with tempfile.TemporaryFile() as output:
            child = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "trunkline", *words],
                cwd=place.folder,
                env=os.environ | {"TRUNKLINE_BY": one.person},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                # It goes on if the runner is killed: the next one reads the outcome.
                start_new_session=True,
            )
            try:
                said = self._follow(place, one, child, output.fileno())
            finally:
                # How it ended is read from the facts if it cannot be followed.
                child.wait()
        state = "done" if child.returncode == 0 else "failed"
        return state, "\n".join(ending(said))

    def _follow(
        self, place: Place, one: Row[Any], child: subprocess.Popen[bytes], output: int
    ) -> list[str]:
        """Write down what a command says until it ends; return all of it."""
        said = 0
        stopped = False
        while True:
            over = child.poll() is not None
            lines = os.pread(output, _MOST_BYTES, 0).decode("utf-8", "replace")
            # The last line may be half written.
            found = lines.splitlines()[: None if over else lines.count("\n")]
            # Without the store for a moment it is written down a moment later.
            if self._guarded(partial(self._write, place, one, found[said:])):
                said = len(found)
            if over:
                return found
            if not stopped and self._guarded(partial(self._stopped, one)):
                # What Ctrl-C does: the candidate is taken back.
                child.send_signal(signal.SIGINT)
                stopped = True
            time.sleep(0.1)

    def _write(self, place: Place, one: Row[Any], lines: list[str]) -> bool:
        if lines:
            with self.store.writing() as connection:
                for line in lines:
                    self._event(connection, place, one, "step", line)
        return True

    def _stopped(self, one: Row[Any]) -> bool:
        with self.store.reading() as connection:
            found = requests.read(connection, one.id)
        return bool(found and found.stopped)

    def _adopt(self, place: Place) -> None:
        """Read the outcome of what was begun and nobody carries out any more."""
        while not self.over.is_set():
            with self.store.reading() as connection:
                begun = requests.begun(connection, place.name)
            left = next((one for one in begun if one.id not in self.carrying), None)
            if left is None:
                return
            found = ask(place, snapshots.LIVE)
            # Whoever cannot be asked may serve it; a deploy that goes on has to end
            # first, and the lock is its own.
            if isinstance(found, str) or found["running"]:
                self.over.wait(0.5)
                continue
            done = arrived(left, found)
            text = f"Nobody saw how it ended; {place.environment} runs "
            text += (found["commit"] or "nothing")[:12]
            with self.store.writing() as connection:
                now = requests.read(connection, left.id)
                # Another runner may have carried it out.
                if now is None or now.state != "running":
                    continue
                self._end(connection, place, left, "done" if done else "failed", text)

    def _end(
        self, connection: Connection, place: Place, one: Row[Any], state: str, said: str
    ) -> None:
        requests.end(connection, one.id, state, said, at=self.now())
        if state == "done":
            flags.settle(connection, place.name, one)
        text = f"was refused: {said}" if state == "refused" else state
        self._event(connection, place, one, "end", text)
        text = f"{one.kind} {one.ref or place.environment}: {text}"
        self._tell(connection, place, one, "end", text)

    def _tell(
        self, connection: Connection, place: Place, one: Row[Any], event: str, text: str
    ) -> None:
        live = snapshots.read(connection, place.name, snapshots.LIVE).document or {}
        # What a request to take back led to.
        commit = (live.get("commit") or "") if event == "end" else ""
        more = {"request": one.id, "event": event, "commit": commit, "why": ""}
        outbox.tell(connection, place, _person(one), text, at=self.now(), **more)

    def _event(
        self, connection: Connection, place: Place, one: Row[Any], kind: str, text: str
    ) -> None:
        what = (connection, place.name, kind, _person(one), text)
        events.add(*what, at=self.now(), request=one.id)


def arrived(one: Row[Any], live: dict[str, Any]) -> bool:
    """Whether what serves is what a request was for, and is there by it. Pure."""
    if live["commit"] != one.commit or live["unfinished"]:
        return False
    if one.kind == "accept":
        recorded = live["recorded"]
        return bool(recorded and recorded["commit"] == one.commit)
    # It may have served the same commit before, by a deploy that began earlier. A take
    # back may be a rename, which begins none, but its commit never served already.
    began = shown_time(one.began)
    return one.kind == "take back" or (live["since"] or "") >= began


def ending(said: list[str]) -> list[str]:
    """Return why a command failed, with the last lines of the service. Pure."""
    # A sentence stands above those lines, and a title between.
    last = said[-LAST_LINES - 2 :]
    return next((last[n:] for n, one in enumerate(last) if one.startswith(WHY)), last)


def _person(one: Row[Any]) -> Person:
    return Person(one.person, Role.VIEWER, one.by)
