"""The record of a backport in progress."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from trunkline.errors import FailedError
from trunkline.files import clear_record, write_record

FILE = "trunkline/backport.json"


@dataclass(frozen=True, slots=True)
class BackportRecord:
    """Which hotfix is backported, and where that began.

    What is left to do is planned from the history, so no crash can come between a
    commit and its record.
    """

    tag: str
    branch: str
    start: str


def begin(git_dir: Path, record: BackportRecord) -> None:
    """Write the record before anything else changes."""
    write_record(git_dir / FILE, asdict(record))


def read(git_dir: Path) -> BackportRecord | None:
    """Read the record; None if no backport is in progress.

    Raises FailedError if another version of this tool wrote it.
    """
    file = git_dir / FILE
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
        return BackportRecord(fields["tag"], fields["branch"], fields["start"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise FailedError(
            f"{file} cannot be read: {error!r}\n"
            "  expected:  the record that `trunkline backport` writes\n"
            f"  type next: git log --oneline -n 20, and if HEAD is right: rm {file}"
        ) from error


def exists(git_dir: Path) -> bool:
    """Whether a backport is in progress."""
    return (git_dir / FILE).exists()


def end(git_dir: Path) -> None:
    """Remove the record: the backport is finished or undone."""
    clear_record(git_dir / FILE)
