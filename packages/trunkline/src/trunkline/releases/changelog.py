"""Sections of CHANGELOG.md. Pure: text in, text out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

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
        return Version.from_tag(_tag(self.name))

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
    return next((s for s in sections(text) if _tag(s.name) == _tag(tag)), None)


def _tag(name: str) -> str:
    """Return the tag that a heading such as `[1.2.0]` stands for."""
    return f"v{name.strip('[]').removeprefix('v')}"


def add_release(before: str, after: str) -> str:
    """Add to a changelog the new section of what commitizen has made of it.

    Commitizen itself drops lines that somebody has written under `Unreleased`, and
    repeats every version whose heading it cannot read. Those lines come first in the
    new section; of a stable release it replaces the sections of its prereleases.
    """
    found = (it for it in sections(after) if it.version)
    new = next((it for it in found if not find_section(before, it.name)), None)
    if new is None:
        return after
    text, written = before, ""
    for old in reversed(list(sections(before))):
        unreleased = old.name.strip("[]").lower() == "unreleased"
        merged = old.version and not old.version.stable
        if unreleased:
            written = f"{old.body}\n\n{written}"
        if unreleased or (merged and not find_section(after, old.name)):
            text = text[: old.start] + text[old.end :]
    heading, _, generated = new.text.partition("\n")
    body = f"{written.strip()}\n\n{generated.strip()}".strip()
    return insert_section(text, replace(new, text=f"{heading}\n\n{body}\n"))


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
