"""The record of a release in progress, from which a later run can finish it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from trunkline.files import clear_record, write_record

FILE = "trunkline/release.json"


@dataclass(frozen=True, slots=True)
class Journal:
    """What a release is about to do, written before it changes anything."""

    branch: str
    start: str
    current: str
    tag: str
    changelog: str


def write_journal(git_dir: Path, journal: Journal) -> None:
    """Write the record so that a crash leaves either all of it or none."""
    write_record(git_dir / FILE, asdict(journal))


def read_journal(git_dir: Path) -> Journal | None:
    """Read the record of an unfinished release; None if there is none."""
    try:
        fields = json.loads((git_dir / FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return _journal(fields) if isinstance(fields, dict) else None


def _journal(fields: Mapping[str, str]) -> Journal | None:
    # The record may come from another version of this tool.
    try:
        return Journal(**{name: str(fields[name]) for name in Journal.__slots__})
    except KeyError:
        return None


def clear_journal(git_dir: Path) -> None:
    """Remove the record: the release is finished."""
    clear_record(git_dir / FILE)
