"""What `cz bump` did to a file, and what the file was before. Pure.

A hook of commitizen runs after the files are written, so the text before can only be
derived. Where the committed text together with commitizen's own edit explains the file,
the committed bytes are the answer; otherwise only commitizen's edit is taken out and
what the user had changed stays.
"""

import re
from itertools import chain

from trunkline.releases.changelog import Section, sections

_TABLE = re.compile(r"^\[+([^\[\]]+)\]+")
_VERSION = re.compile(r"""^(version[ \t]*=[ \t]*)(["'])([^"']*)\2(.*)$""")


def project_before(after: str, *, current: str, committed: str | None) -> str:
    """Take the new version out of pyproject.toml."""
    return _version_before(after, ("[project]",), current, committed)


def lock_before(after: str, *, name: str, current: str, committed: str | None) -> str:
    """Take the new version of package `name` out of uv.lock."""
    header = ("[[package]]", f'name = "{name}"')
    return _version_before(after, header, current, committed)


def _version_before(
    after: str, header: tuple[str, ...], current: str, committed: str | None
) -> str:
    """Put the committed line back if that is what it was, else write `current`."""
    lines = after.split("\n")
    place = _version_line(lines, header)
    if place is None:
        return after
    before = committed.split("\n") if committed else []
    old_place = _version_line(before, header)
    old = _VERSION.match(before[old_place]) if old_place is not None else None
    now = _VERSION.match(lines[place])
    same_rest = old and now and (old[1], old[4]) == (now[1], now[4])
    if old and same_rest and _same_version(old[3], current):
        lines[place] = old[0]
    else:
        lines[place] = _VERSION.sub(rf"\g<1>\g<2>{current}\g<2>\g<4>", lines[place])
    return "\n".join(lines)


def _version_line(lines: list[str], header: tuple[str, ...]) -> int | None:
    """Find the line `version = …` of the table that begins with the lines `header`."""
    inside = False
    for number, line in enumerate(lines):
        if _TABLE.match(line):
            first = line.partition("#")[0].strip()
            rest = tuple(lines[number + 1 : number + len(header)])
            inside = (first, *rest) == header
        elif inside and _VERSION.match(line):
            return number
    return None


def _same_version(spelling: str, current: str) -> bool:
    # uv may have spelt `1.2.0-alpha.0` as `1.2.0a0`; letters and digits agree.
    short = current.replace("-alpha.", "a").replace("-beta.", "b").replace("-rc.", "rc")
    return spelling in {current, short}


def versioned_before(after: str, *, pattern: str, current: str, new: str) -> str:
    """Take the new version out of a file of commitizen's `version_files`."""
    wanted = re.compile(pattern or re.escape(new))
    lines = after.split("\n")
    return "\n".join(
        line.replace(new, current) if wanted.search(line) else line for line in lines
    )


def changelog_before(after: str, *, tag: str, candidates: list[str]) -> str:
    """Take the section of `tag` out of CHANGELOG.md.

    `candidates` are texts that the file may have had, the likeliest first. Finishing an
    alpha drops the sections of its alphas; they come back from a candidate.
    """
    parts = sections(after)
    first = next((part for part in parts if part.name == tag), None)
    if first is None:
        return after
    head = after[: first.start].rstrip("\n")
    # Where a tag is missing or not new, commitizen writes further sections below.
    for section in chain([first], parts):
        tail = after[section.end :].lstrip("\n")
        for candidate in candidates:
            if _explains(candidate, head, tail):
                return candidate
    tail = after[first.end :].lstrip("\n")
    dropped = (_dropped(candidate, tag, tail) for candidate in candidates)
    rest = next((text for text in dropped if text), "") + tail
    if not rest:
        return f"{head}\n" if head else ""
    return after[: first.start] + rest


def _explains(candidate: str, head: str, tail: str) -> bool:
    """Whether the file is `candidate` with nothing but commitizen's edit."""
    if not candidate.startswith(head) or not candidate.endswith(tail):
        return False
    if len(head) + len(tail) > len(candidate):
        return False
    middle = candidate[len(head) : len(candidate) - len(tail)].strip()
    return not middle or all(_droppable(part) for part in sections(middle))


def _dropped(candidate: str, tag: str, tail: str) -> str:
    """Return the sections of `candidate` that commitizen merged into that of `tag`."""
    kept = {part.name for part in sections(tail)}
    return "".join(
        part.text
        for part in sections(candidate)
        if _droppable(part) and part.name not in kept and part.name != tag
    )


def _droppable(part: Section) -> bool:
    version = part.version
    return part.name.lower().startswith("unreleased") or (
        version is not None and not version.stable
    )
