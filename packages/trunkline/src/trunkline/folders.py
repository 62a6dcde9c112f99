"""Create a folder with all of its files, or not at all."""

import glob
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path

from trunkline.errors import FailedError, Refusal

# Seconds after which an unfinished folder is a leftover of a killed run.
_STALE = 3600


def require_free(folder: Path, *, fix: str | None = None) -> None:
    """Refuse a path that exists, unless it is an empty folder."""
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    what = "a folder that is not empty" if folder.is_dir() else "not a folder"
    raise Refusal(
        rule="folder",
        found=f"{folder} is {what}",
        expected="a new or empty folder, because nothing is overwritten",
        fix=fix or f"the same command with another name, such as {folder.name}-2",
    )


def write_folder(
    folder: Path,
    files: Mapping[str, str | bytes],
    *,
    executable: Collection[str] = (),
    finish: Callable[[Path], None] | None = None,
) -> None:
    """Create a folder from files, given by their paths in it.

    It is built beside its final place and renamed once complete; `finish` is called
    with the unnamed folder just before. Raises Refusal if the name is taken and
    FailedError if the disk refuses to write.
    """
    folder = folder.resolve()
    require_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{folder.name}.unfinished-"
        _remove_leftovers(folder.parent, prefix)
        beside = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    except OSError as error:
        raise _failed(folder, error) from error
    try:
        for name, text in files.items():
            _write(beside / name, text)
            if name in executable:
                (beside / name).chmod(0o755)
        if finish:
            finish(beside)
        beside.rename(folder)  # Replaces an empty folder only.
    except OSError as error:
        require_free(folder)  # Another process may have been faster.
        raise _failed(folder, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode("utf-8", "replace") if isinstance(text, str) else text
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove_leftovers(place: Path, prefix: str) -> None:
    for path in place.glob(f"{glob.escape(prefix)}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE:
                shutil.rmtree(path)


def _failed(folder: Path, error: OSError) -> FailedError:
    return FailedError(
        f"{folder} could not be written: {error.strerror or error}; nothing was "
        "left behind\n  type next: the same command with a folder on another disk"
    )
