"""One running operation for each environment."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trunkline.errors import Refusal


@contextmanager
def only_deploy(folder: Path, doing: str, *, wait: bool) -> Iterator[int]:
    """Hold the environment's lock; yields the descriptor that a migration inherits.

    The kernel releases it when the last process that holds it has ended. `doing`
    tells a second caller who does what since when.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "deploy.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            holder = os.pread(descriptor, 500, 0).decode("utf-8", "replace")
            raise Refusal(
                rule="one-deploy",
                found=holder or "another deploy to this environment is running",
                expected="one at a time",
                fix="the same command with --wait, or once the other one has finished",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, doing.encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)
