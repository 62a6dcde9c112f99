"""Turn a changelog section into release notes, breaking changes first. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from trunkline.releases.changelog import Section
from trunkline.versions import Version

BREAKING_HEADING = "Breaking changes"
# What the changelog template puts before a breaking change.
_MARK = re.compile(r"^([-*] +)\*\*BREAKING\*\* ")
_GROUP = re.compile(r"^###+ +(.+?)\s*$")
_ENTRY = re.compile(r"^[-*] ")
_FENCE = re.compile(r"^ *(```|~~~)")
_DATE = re.compile(r"\((\d{4}-\d{2}-\d{2})\)")
_BREAKING_GROUP = re.compile(r"breaking[- ]changes?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Group:
    """The blocks below one heading: entries, and paragraphs written by hand.

    The group without a title is the text above the first heading.
    """

    title: str
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes of one version; breaking changes without their mark."""

    name: str
    heading: str
    date: str | None
    breaking: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def markdown(self) -> str:
        """The notes as text, breaking changes below a heading of their own."""
        groups = list(self.groups)
        if self.breaking:
            lead = sum(not group.title for group in groups)
            groups.insert(lead, Group(BREAKING_HEADING, self.breaking))
        parts = [self.heading]
        for group in groups:
            if group.title:
                parts.append(f"### {group.title}")
            parts.append(_joined(group.blocks))
        return "\n\n".join(parts)


@dataclass(frozen=True, slots=True)
class ReleaseSubject:
    """What notes are about; `version` is None for what is not released yet.

    `notes` is None if there is nothing to describe; `reason` says why.
    """

    name: str
    version: Version | None
    notes: Notes | None
    reason: str = ""


def release_notes(section: Section) -> Notes:
    """Parse a changelog section; every block of it appears in the notes once."""
    heading, _, body = section.text.partition("\n")
    breaking: list[str] = []
    groups: list[Group] = []
    for group in _groups(body):
        all_break = _BREAKING_GROUP.fullmatch(group.title)
        kept: list[str] = []
        for block in group.blocks:
            text, marks = _MARK.subn(r"\1", block)
            (breaking if all_break or marks else kept).append(text)
        if kept:
            groups.append(Group(group.title, tuple(kept)))
    date = _DATE.search(heading)
    return Notes(
        section.name,
        heading.strip(),
        date[1] if date else None,
        tuple(breaking),
        tuple(groups),
    )


def _joined(blocks: Iterable[str]) -> str:
    """Join entries by a line break and paragraphs by an empty line."""
    text = ""
    entry_before = False
    for block in blocks:
        entry = _ENTRY.match(block) is not None
        if text:
            text += "\n" if entry and entry_before else "\n\n"
        text += block
        entry_before = entry
    return text


def _groups(body: str) -> list[Group]:
    """Split at headings, and below each into entries and paragraphs.

    Text that follows an entry directly, or indented, belongs to the entry.
    """
    found: list[tuple[str, list[str]]] = [("", [])]
    fenced = False
    after_gap = True
    for line in body.splitlines():
        heading = None if fenced else _GROUP.match(line)
        if heading:
            found.append((heading[1], []))
        if heading or not (fenced or line.strip()):
            after_gap = True
            continue
        blocks = found[-1][1]
        apart = _ENTRY.match(line) or (after_gap and not line[0].isspace())
        if not blocks or (apart and not fenced):
            blocks.append(line)
        else:
            blocks[-1] += ("\n\n" if after_gap else "\n") + line
        after_gap = False
        fenced ^= _FENCE.match(line) is not None
    return [Group(title, tuple(blocks)) for title, blocks in found if blocks]
