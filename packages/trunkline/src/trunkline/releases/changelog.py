"""Sections of CHANGELOG.md. Pure: text in, text out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from trunkline.versions import Version

_HEADING = re.compile(r"^## +(\S+).*$", re.MULTILINE)
_ENTRY = re.compile(r"^[-*] +\S", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """One `## …` section; `start` and `end` are offsets in the whole text."""

    name: str
    start: int
    end: int
    text: str

    @property
    def version(self) -> Version | None:
        """The version that the heading names, if it names one."""
        return Version.from_tag(self.name)

    @property
    def body(self) -> str:
        """The text under the heading."""
        return self.text.partition("\n")[2].strip()

    @property
    def empty(self) -> bool:
        """Whether there is no entry under the heading."""
        return _ENTRY.search(self.body) is None


def sections(text: str) -> Iterator[Section]:
    """Yield the sections in the order of the file.

    Lazily: callers look near the top, and years of releases may follow.
    """
    headings = _HEADING.finditer(text)
    heading = next(headings, None)
    while heading:
        following = next(headings, None)
        start, end = heading.start(), following.start() if following else len(text)
        yield Section(heading.group(1), start, end, text[start:end])
        heading = following


def find_section(text: str, tag: str) -> Section | None:
    """Find the section of one tag, such as `v1.2.0`."""
    return next((s for s in sections(text) if s.name == tag), None)


def insert_section(text: str, section: Section) -> str:
    """Insert a section in version order, above the first older one.

    Above newer ones it would make the next `cz bump` repeat all of them.
    """
    version = section.version
    own = section.text.rstrip("\n")
    for other in sections(text):
        if version and other.version and other.version < version:
            return f"{text[: other.start]}{own}\n\n{text[other.start :]}"
    head = text.rstrip("\n")
    return f"{head}\n\n{own}\n" if head else f"{own}\n"
