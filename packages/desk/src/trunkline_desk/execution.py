"""The command that carries out a request, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError
from trunkline.deploy.local_desk import state_folder
from trunkline.deploy.variables import LAST_LINES
from trunkline.git import Repository

from trunkline_desk import requests
from trunkline_desk.services import Place
from trunkline_desk.snapshots import Live
from trunkline_desk.store import Store

WHY = "trunkline: "
_MOST_BYTES = 1_000_000


def carry_out(
    store: Store, place: Place, one: Row[Any], lock: int, now: Callable[[], float]
) -> tuple[str, str]:
    """Run the command of a request; returns the outcome and its last lines.

    It inherits the lock, and goes on if the runner is killed: the next one waits for
    the lock, and reads the outcome.
    """
    words = {
        "take back": ["rollback", place.environment, "--wait"],
        "accept": ["accept", place.environment],
    }.get(one.kind)
    if words is None:
        words = ["deploy", one.ref, "--to", place.environment, "--yes", "--wait"]
        words += ["--commit", one.commit, *json.loads(one.options)]
    # A file, because a pipe would break with the runner.
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "trunkline", *words],
            cwd=place.folder,
            env=os.environ | {"TRUNKLINE_BY": one.person},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
            pass_fds=[lock],
            start_new_session=True,
        )
        try:
            said = _follow(store, one, child, output.fileno(), now)
        finally:
            # If it cannot be followed, the facts say how it ended.
            child.wait()
    return "failed" if child.returncode else "done", "\n".join(ending(said))


def _follow(
    store: Store,
    one: Row[Any],
    child: subprocess.Popen[bytes],
    output: int,
    now: Callable[[], float],
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
        with suppress(SQLAlchemyError):
            if found[said:]:
                with store.writing() as connection:
                    for line in found[said:]:
                        requests.note(connection, one, "step", line, at=now())
                said = len(found)
            with store.reading() as connection:
                asked = requests.find(connection, id=one.id, stopped=True)
            if asked and not stopped and not over:
                # Like Ctrl-C: the candidate is taken back.
                child.send_signal(signal.SIGINT)
                stopped = True
        if over:
            return found
        time.sleep(0.1)


def lock_file(place: Place, kind: str) -> Path:
    """Return the file that is locked while a request of this kind is carried out.

    It holds the key of the last one that was begun in this clone.
    """
    folder = state_folder(Repository.find(place.folder), place.environment)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"desk-{kind.replace(' ', '-')}.lock"


def arrived(one: Row[Any], live: Live) -> bool:
    """Whether the live version is the result of a request. Pure."""
    if live.commit != one.commit or live.unfinished:
        return False
    if one.kind == "accept":
        return live.recorded is not None and live.recorded.commit == one.commit
    # It may have served the same commit before, by a deploy that began earlier. A take
    # back may be a rename, which begins none, but its commit never served already.
    since = live.since.timestamp() if live.since else 0.0
    return one.kind == "take back" or since >= int(one.began)


def ending(said: list[str]) -> list[str]:
    """Return a command's error with the service's last lines. Pure."""
    # The error comes first, then a heading, then the lines.
    last = said[-LAST_LINES - 2 :]
    return next((last[n:] for n, one in enumerate(last) if one.startswith(WHY)), last)
