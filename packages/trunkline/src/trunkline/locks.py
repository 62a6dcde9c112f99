"""Kernel locks: one release at a time in a clone, one writer of image tags."""

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trunkline.errors import Refusal
from trunkline.git import Repository

# Seconds to wait: the child of a killed release may need a moment to end.
PATIENCE = 5.0
PAUSE = 0.05


@contextmanager
def only_release(common_dir: Path) -> Iterator[int]:
    """Hold the lock of a clone; yields the descriptor that children must inherit.

    The kernel releases the lock when the last process with the descriptor ends. So it
    is never stale, and a child that outlives a killed release still holds it.
    """
    folder = common_dir / "trunkline"
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder / "release.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _wait(descriptor)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def only_writer(image: str) -> Iterator[None]:
    """Wait until no other process on this machine writes the tags of an image.

    No registry can create a tag only if it is absent, so two writers that both find it
    missing would both write.
    """
    folder = Path(tempfile.gettempdir()) / f"trunkline-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    # At most 256 lock files; two images that share one merely wait for each other.
    name = hashlib.sha256(image.encode()).hexdigest()[:2]
    with only_one(folder / f"tags-{name}.lock"):
        yield


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Wait for other processes with the same lock file; it ends with its process."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(lock, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > end:
                holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
                raise Refusal(
                    rule="one-release",
                    found="another command that changes files is running in this "
                    f"clone (process {holder or '?'})",
                    expected="one at a time",
                    fix="the same command again once the other one has finished",
                ) from error
            time.sleep(PAUSE)


def remove_stale_git_locks(repository: Repository) -> None:
    """Remove lock files of a killed git; raises Refusal while git is still running."""
    end = time.monotonic() + PATIENCE
    while (left := _git_locks(repository)) and git_runs_in(repository.root):
        if time.monotonic() > end:
            raise Refusal(
                rule="one-release",
                found=f"{left[0]} and a git process running in {repository.root}",
                expected="no other git process",
                fix=f"rm -f {left[0]}  (once that process has ended, or was stopped)",
            )
        time.sleep(PAUSE)
    for path in left:
        path.unlink(missing_ok=True)


def _git_locks(repository: Repository) -> list[Path]:
    own, shared = repository.git_dir, repository.common_dir
    refs = (shared / "refs").rglob("*.lock")
    return sorted({*own.glob("*.lock"), *shared.glob("*.lock"), *refs})


def git_runs_in(root: Path) -> bool:
    """Whether a git process runs in the folder; True if unknown."""
    processes = Path("/proc")
    if not (processes / "self" / "cwd").exists():
        return True
    for process in processes.iterdir():
        try:
            if (process / "comm").read_text() == "git\n" and (
                process / "cwd"
            ).resolve().is_relative_to(root.resolve()):
                return True
        except OSError:
            continue  # Not a process, or it has ended.
    return False
