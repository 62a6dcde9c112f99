"""The files that the loop watches, told apart by what changes whenever one is saved."""

import os
import re
import sys
import sysconfig
import time
from collections.abc import Iterable
from fnmatch import translate
from importlib.util import cache_from_source
from pathlib import Path

# Longer than the steps in which a file system counts time, and than a save that
# truncates a file before it writes it.
QUIET = 0.03
NOT_ENTERED = {"__pycache__", "node_modules"}

type State = dict[str, tuple[int, int, int]]


class Files:
    """Files below a folder whose names match one of the patterns.

    Hidden folders and virtual environments are left out. The folder of the installed
    packages counts as a file, because it changes with `uv sync`.
    """

    def __init__(self, root: Path, patterns: Iterable[str]) -> None:
        self.root = root
        self._matches = re.compile("|".join(map(translate, patterns))).match

    def scan(self) -> State:
        """Return what a save of any file would change."""
        found: State = {}
        folders = [str(self.root)]
        for folder in folders:
            try:
                with os.scandir(folder) as listed:
                    entries = [*listed]
            except OSError:
                continue  # It is gone, and so are its files.
            if any(entry.name == "pyvenv.cfg" for entry in entries):
                continue
            for entry in entries:
                if entry.name[0] == "." or entry.name in NOT_ENTERED:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif self._matches(entry.name):
                    found |= stamp(entry.path)
        return found | stamp(sysconfig.get_path("purelib"))

    def settled(self) -> State:
        """Return the state once nothing has changed for a moment."""
        state = self.scan()
        while True:
            time.sleep(QUIET)
            if (now := self.scan()) == state:
                return state
            state = now


def stamp(path: str) -> State:
    """Return the stamp of one file; nothing if it is gone.

    The time of the last change of the inode cannot be set back, as `cp -p` does with
    the time of the last write.
    """
    try:
        found = os.stat(path)
    except OSError:
        return {}
    return {path: (found.st_ctime_ns, found.st_size, found.st_ino)}


def changes(before: State, now: State) -> set[str]:
    """Return the files that were saved, made or deleted."""
    return {path for path in {*before, *now} if before.get(path) != now.get(path)}


def forget_bytecode(saved: Iterable[str]) -> None:
    """Delete the bytecode of modules.

    Python and pytest take it for new if the module was saved twice in one second and
    kept its size.
    """
    for path in filter(is_module, saved):
        folder = Path(cache_from_source(path)).parent
        for file in folder.glob(f"{Path(path).stem}.*.pyc"):
            file.unlink(missing_ok=True)


def need_restart(saved: Iterable[str]) -> bool:
    """Whether this process holds what was saved: settings, packages, loaded modules."""
    loaded = {getattr(module, "__file__", None) for module in [*sys.modules.values()]}
    return any(not is_module(path) or path in loaded for path in saved)


def is_module(path: str) -> bool:
    """Whether a file is a module of Python."""
    return path.endswith(".py")
