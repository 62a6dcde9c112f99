"""What notes are about: a version, and its section of the changelog."""

import re
from dataclasses import dataclass
from typing import Any

from trunkline.releases.changelog import Section
from trunkline.versions import Version

_DATE = re.compile(r"\((\d{4}-\d{2}-\d{2})\)")


@dataclass(frozen=True, slots=True)
class ReleaseSubject:
    """What notes are about; `version` is None for what is not released yet.

    `section` is None if there is nothing to describe; `reason` says why.
    """

    name: str
    version: Version | None
    section: Section | None
    reason: str = ""

    @property
    def markdown(self) -> str:
        """The notes as they stand in the changelog; empty if there are none."""
        return self.section.text.strip() if self.section else ""

    @property
    def data(self) -> dict[str, Any]:
        """The notes for JSON; version and date are None if there are none."""
        date = _DATE.search(self.markdown.partition("\n")[0])
        return {
            "version": self.name.removeprefix("v") if self.section else None,
            "date": date[1] if date else None,
            "markdown": self.markdown,
            "reason": self.reason,
        }
