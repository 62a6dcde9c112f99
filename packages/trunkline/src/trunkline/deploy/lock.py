"""One running operation for each environment, and one decision about its switch."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trunkline.errors import Refusal
from trunkline.output import say


@contextmanager
def only_deploy(folder: Path, doing: str, *, wait: bool) -> Iterator[int]:
    """Hold the environment's lock; yields the descriptor that a migration inherits."""
    folder.mkdir(parents=True, exist_ok=True)
    if wait and (who := holder(folder)):
        say(f"waiting, also for a migration that outlived its deploy: {who}")
    with held(folder / "deploy.lock", doing, wait=wait) as descriptor:
        yield descriptor


def holder(folder: Path) -> str:
    """Return who changes an environment now, and since when; empty if nobody does."""
    try:
        with held(folder / "deploy.lock", "", wait=False):
            return ""
    except FileNotFoundError:
        return ""
    except Refusal as error:
        return error.found


@contextmanager
def held(file: Path, doing: str, *, wait: bool) -> Iterator[int]:
    """Hold a lock; `doing`, if not empty, tells a second caller who does what.

    The kernel releases it when the last process that holds it has ended.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            holder = os.pread(descriptor, 500, 0).decode("utf-8", "replace")
            raise Refusal(
                rule="one-deploy",
                found=holder or "another deploy to this environment is running",
                expected="one at a time",
                fix="the same command with --wait  (or when the other has finished)",
            ) from error
        if doing:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, doing.encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)
