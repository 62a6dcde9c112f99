"""The record of a backport that is under way."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trunkline.errors import FailedError
from trunkline.files import clear_record, write_record
from trunkline.releases.hotfix import Kind, Step

FILE = "trunkline/backport.json"


@dataclass(frozen=True, slots=True)
class Record:
    """Where a backport began and what it means to do.

    How far it is, HEAD's history tells: see `hotfix.progress`.
    """

    tag: str
    branch: str
    start: str
    steps: tuple[Step, ...]


def begin(git_dir: Path, record: Record) -> None:
    """Write the record, before anything else is changed."""
    write_record(git_dir / FILE, asdict(record))


def read(git_dir: Path) -> Record | None:
    """Read the record; None if no backport is under way.

    Raises FailedError on a record of another version of this tool.
    """
    file = git_dir / FILE
    try:
        fields: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        steps = tuple(
            Step(Kind(step["kind"]), step["commit"], step["subject"])
            for step in fields.pop("steps")
        )
        return Record(**fields, steps=steps)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FailedError(
            f"{file} cannot be read: {error!r}\n"
            f"  expected:  the record that `trunkline backport` writes\n"
            f"  type next: git log --oneline -n 20, and when HEAD is right: rm {file}"
        ) from error


def exists(git_dir: Path) -> bool:
    """Whether a backport is under way."""
    return (git_dir / FILE).exists()


def end(git_dir: Path) -> None:
    """Remove the record: nothing is left to do or to take back."""
    clear_record(git_dir / FILE)
