"""The record of a release that is under way, so that a later run can end it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from trunkline.files import clear_record, write_record
from trunkline.releases.bumpfiles import Bump

FILE = "trunkline/release.json"


@dataclass(frozen=True, slots=True)
class Journal:
    """What a release means to do: it is written before anything is changed."""

    branch: str
    start: str
    current: str
    tag: str
    changelog: str

    @property
    def bump(self) -> Bump:
        """What commitizen was asked for."""
        return Bump(current=self.current, tag=self.tag, changelog=self.changelog)


def write_journal(git_dir: Path, journal: Journal) -> None:
    """Write the record so that a crash leaves either all of it or none."""
    write_record(git_dir / FILE, asdict(journal))


def read_journal(git_dir: Path) -> Journal | None:
    """Read the record of a release that has not ended; None if there is none."""
    try:
        fields = json.loads((git_dir / FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return _journal(fields) if isinstance(fields, dict) else None


def _journal(fields: Mapping[str, str]) -> Journal | None:
    # A record of another version of this tool is read as far as it is understood.
    try:
        return Journal(**{name: str(fields[name]) for name in Journal.__slots__})
    except KeyError:
        return None


def clear_journal(git_dir: Path) -> None:
    """Remove the record: the release has ended."""
    clear_record(git_dir / FILE)
