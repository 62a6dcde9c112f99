"""Read and replace files: a reader sees the old content or the new one."""

import errno
import json
import os
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trunkline.errors import UsageError


def replace_content(path: Path, content: bytes, *, staging: Path) -> None:
    """Replace a file and keep its permissions; a link stays a link.

    The content is first written to `staging`, a folder inside `.git`, so that a crash
    leaves nothing in the working tree. One writer at a time: see `locks`. Raises
    OSError.
    """
    target = path.resolve()
    staging.mkdir(parents=True, exist_ok=True)
    try:
        _replace(target, content, staging / "replacement")
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # `.git` is on another file system, so renaming from there is impossible.
        _replace(target, content, target.with_name(f".{target.name}.replacement"))


def _replace(target: Path, content: bytes, new: Path) -> None:
    new.unlink(missing_ok=True)  # A crash may have left one, with any permissions.
    try:
        with new.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, new)
        os.replace(new, target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def keep_line_ends(path: Path, before: bytes, *, staging: Path) -> None:
    """Give a file that was rewritten the line ends back that most of it had."""
    now = path.read_bytes()
    wanted = now.replace(b"\r\n", b"\n")
    if 2 * before.count(b"\r\n") > before.count(b"\n"):
        wanted = wanted.replace(b"\n", b"\r\n")
    if wanted != now:
        replace_content(path, wanted, staging=staging)


def write_record(file: Path, document: Mapping[str, object]) -> None:
    """Write JSON so that the file is all there or as it was, also after a crash."""
    content = json.dumps(document, indent=2).encode()
    replace_content(file, content, staging=file.parent)
    _sync_folder(file.parent)


def clear_record(file: Path) -> None:
    """Remove a record for good."""
    file.unlink(missing_ok=True)
    if file.parent.is_dir():
        _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def decode_text(data: bytes) -> str:
    """Decode a file; invalid bytes survive encoding again, line ends become `\\n`."""
    return data.decode("utf-8", "surrogateescape").replace("\r\n", "\n")


def read_toml(file: Path) -> dict[str, Any]:
    """Read a TOML file; raises UsageError that names it."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
