"""One running operation per environment, and one decision about its switch."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trunkline.errors import Refusal
from trunkline.output import say

TICK = 0.01


@contextmanager
def only_deploy(folder: Path, doing: str, *, wait: bool) -> Iterator[int]:
    """Hold the environment's lock; yields the descriptor that a migration inherits.

    So the lock outlives a killed deploy for as long as its migration runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if wait and (who := holder(folder)):
        say(f"waiting, also for a migration that outlived its deploy: {who}")
    with held(folder / "deploy.lock", doing, wait=wait) as descriptor:
        yield descriptor


def holder(folder: Path) -> str:
    """Return who is changing an environment, and since when; empty if nobody is."""
    try:
        descriptor = os.open(folder / "deploy.lock", os.O_RDONLY)
    except FileNotFoundError:
        return ""
    try:
        return "" if _locked(descriptor, fcntl.LOCK_SH) else _doing(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def held(file: Path, doing: str, *, wait: bool) -> Iterator[int]:
    """Hold a file lock; `doing`, unless empty, is shown to whoever else wants it.

    The kernel releases it when the last process that holds it ends.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if wait:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        else:
            _lock_now(descriptor)
        if doing:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, doing.encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def busy(found: str) -> Refusal:
    """Return the refusal of a second deploy."""
    return Refusal(
        rule="one-deploy",
        found=found,
        expected="one at a time",
        fix="the same command with --wait  (or when the other has finished)",
    )


def _lock_now(descriptor: int) -> None:
    """Take the lock, or raise Refusal; `holder` may have it for a moment."""
    while not _locked(descriptor, fcntl.LOCK_EX):
        if not _locked(descriptor, fcntl.LOCK_SH):
            raise busy(_doing(descriptor))
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        time.sleep(TICK)


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _doing(descriptor: int) -> str:
    said = os.pread(descriptor, 500, 0).decode("utf-8", "replace")
    return said or "another deploy to this environment is running"
