"""The record of a release in progress, from which a later run can finish it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from trunkline.files import clear_record, write_record

FILE = "trunkline/release.json"


@dataclass(frozen=True, slots=True)
class Journal:
    """What a release is about to do, written before it changes anything."""

    branch: str
    start: str
    tag: str


def write_journal(git_dir: Path, journal: Journal) -> None:
    """Write the record so that a crash leaves either all of it or none."""
    write_record(git_dir / FILE, asdict(journal))


def read_journal(git_dir: Path) -> Journal | None:
    """Read the record of an unfinished release; None without one that can be read."""
    try:
        fields = json.loads((git_dir / FILE).read_text(encoding="utf-8"))
        return Journal(fields["branch"], fields["start"], fields["tag"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def clear_journal(git_dir: Path) -> None:
    """Remove the record: the release is finished."""
    clear_record(git_dir / FILE)
