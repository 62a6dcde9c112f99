"""Write a whole new folder, or nothing."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from trunkline.errors import FailedError, Refusal

# Seconds.
_FRESH = 60


def require_free(folder: Path) -> None:
    """Refuse a folder that holds something; it may be there and be empty."""
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    what = "a folder with something in it" if folder.is_dir() else "no folder"
    raise Refusal(
        rule="folder",
        found=f"{folder} is {what}",
        expected="a new or an empty folder; nothing is overwritten",
        fix=f"choose another name, such as {folder.name}-2",
    )


def write_folder(
    folder: Path,
    files: Mapping[str, str | bytes],
    *,
    executable: Collection[str] = (),
    finish: Callable[[Path], None] | None = None,
) -> None:
    """Write files, by their path in it, into a folder that appears complete.

    They are written beside it and get its name in one step, after `finish` was called
    with that other folder. Raises Refusal where something else has taken the name,
    FailedError where the disk does not take them.
    """
    folder = folder.resolve()
    require_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_over(folder)
        beside = Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=folder.parent))
    except OSError as error:
        raise _failed(folder, error) from error
    # Held until the folder has its name, so that nobody takes it for left over.
    descriptor = os.open(beside, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for name, text in files.items():
            _write(beside / name, text)
            if name in executable:
                (beside / name).chmod(0o755)
        if finish:
            finish(beside)
        os.fsync(descriptor)
        _rename(beside, folder)
    except OSError as error:
        raise _failed(folder, error) from error
    finally:
        os.close(descriptor)
        shutil.rmtree(beside, ignore_errors=True)


def _write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode("utf-8", "replace") if isinstance(text, str) else text
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _rename(beside: Path, folder: Path) -> None:
    try:
        beside.rename(folder)  # Takes the place of an empty folder, of no other.
    except OSError:
        require_free(folder)  # Somebody was faster.
        raise


def _prefix(folder: Path) -> str:
    return f".{folder.name}.unfinished-"


def _remove_left_over(folder: Path) -> None:
    """Remove what a killed run has left; a run that still writes holds a lock."""
    for path in folder.parent.iterdir():
        if not path.name.startswith(_prefix(folder)):
            continue
        try:
            if time.time() - path.stat().st_mtime < _FRESH:
                continue  # Perhaps made a moment ago and not locked yet.
            descriptor = os.open(path, os.O_RDONLY)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)


def _failed(folder: Path, error: OSError) -> FailedError:
    return FailedError(
        f"{folder} could not be written: {error.strerror or error}; nothing is left "
        "of it\n  type next: the same command with a folder on another disk"
    )
