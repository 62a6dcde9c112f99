"""The record of a release or a backport in progress, from which a later run ends it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from trunkline.errors import FailedError
from trunkline.files import write_record

# Where they lie in git's own folder.
RELEASE, BACKPORT = "trunkline/release.json", "trunkline/backport.json"


@dataclass(frozen=True, slots=True)
class Journal:
    """What a run is about to do with a version's tag, and where it began.

    It is written before anything else changes. What is left to do is found in the
    history, so no crash can come between a commit and its record.
    """

    branch: str
    start: str
    tag: str


def write_journal(file: Path, journal: Journal) -> None:
    """Write the record so that a crash leaves either all of it or none."""
    write_record(file, asdict(journal))


def read_journal(file: Path) -> Journal | None:
    """Read the record; None if nothing is in progress, FailedError if it is damaged."""
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
        return Journal(fields["branch"], fields["start"], fields["tag"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise FailedError(
            f"{file} cannot be read: {error!r}\n"
            "  expected:  the record that trunkline writes\n"
            f"  type next: git log --oneline -n 20  (and if HEAD is right: rm {file})"
        ) from error
