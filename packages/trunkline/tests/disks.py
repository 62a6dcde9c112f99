"""A small disk that a test can fill."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registries import missing

SUDO = () if os.geteuid() == 0 else ("sudo", "-n")


@contextmanager
def small_disk(folder: Path, *, kibibytes: int) -> Iterator[Path]:
    """Mount a disk of this size at a new folder; skips if mounting is not allowed."""
    folder.mkdir()
    options = f"size={kibibytes}k,mode=777"
    command = (*SUDO, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder))
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        missing(f"no permission to mount a disk: {mounted.stderr.decode()}")
    try:
        yield folder
    finally:
        subprocess.run((*SUDO, "umount", "-l", str(folder)), check=True)


def fill(folder: Path, *, but: int) -> Path:
    """Write a file that leaves this many kibibytes free."""
    file = folder / "filling"
    room = os.statvfs(folder)
    file.write_bytes(bytes(max(0, room.f_bavail * room.f_frsize - but * 1024)))
    return file
