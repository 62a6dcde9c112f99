"""`ptw .`, also `trunkline loop .`: run the quick tests, again at each save."""

import os
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from trunkline.errors import UsageError
from trunkline.loop.files import Files
from trunkline.loop.screen import Screen
from trunkline.options import command, switch
from trunkline.settings import Settings, read_settings
from trunkline.signals import interrupted_by_signals

PAUSE = 0.2


@command(
    switch("--now", "has no effect: the tests always run at the start"),
    switch("--clear", "has no effect: a terminal is always cleared"),
    passes_on="The folder to watch comes first; other arguments go to pytest.",
)
def loop(*, now: bool, clear: bool, others: Sequence[str]) -> int:
    """Run the quick tests at each save below a folder; `others` are for pytest."""
    if find_spec("pytest") is None:
        raise UsageError("pytest was not found\n  type next: uv add --dev pytest")
    environment = dict(os.environ)
    folder = Path(others[0]) if others and Path(others[0]).is_dir() else Path()
    arguments = others[1:] if others and Path(others[0]) == folder else others
    screen = Screen()
    with interrupted_by_signals():
        code = run(screen, folder.absolute(), arguments)
    if code is None:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606
    return code


def run(screen: Screen, folder: Path, arguments: Sequence[str]) -> int | None:
    """Run pytest; returns None if all has to be loaded anew, an exit code in a fork."""
    import pytest  # noqa: PLC0415 - may be missing

    from trunkline.loop.sharing import Sharing  # noqa: PLC0415
    from trunkline.loop.watcher import RestartNeeded, Watcher  # noqa: PLC0415

    # Before anything is read: what is saved from here on is read again.
    files = Files(folder, Settings().loop_files)
    begun = files.scan()
    narrowed = any(Path(word.partition("::")[0]).exists() for word in arguments)
    screen.open()
    try:
        try:
            settings = read_settings(Path("pyproject.toml"))
            files = Files(folder, settings.loop_files)
            begun = files.scan()
            watcher = Watcher(files, screen, narrowed=narrowed)
            if read_settings(Path("pyproject.toml")) != settings:
                return None
            given = [*settings.loop_arguments, *arguments]
            code = pytest.main(given, plugins=[watcher, Sharing()])
        except UsageError as error:
            screen.note(str(error))
        else:
            if watcher.fork:
                watcher.finish()
                return int(code)
        screen.verdict("red", "pytest cannot start; save what is wrong")
        while files.scan() == begun:
            time.sleep(PAUSE)
    except RestartNeeded:
        screen.clear()
    finally:
        screen.close()
    return None
