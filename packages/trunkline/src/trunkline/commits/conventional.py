"""Conventional Commits as commitizen reads them. Pure.

The schema is commitizen's (`cz check`), and so is the way a message raises the version:
every line of it counts, not the subject alone. The patterns are written out again
because importing commitizen takes longer than a commit; a test compares the two.
"""

import re
from dataclasses import dataclass
from enum import IntEnum

TYPES = (
    "build", "bump", "chore", "ci", "docs", "feat", "fix", "perf", "refactor",
    "revert", "style", "test",
)  # fmt: skip
# The types that commitizen puts into the changelog.
LISTED = ("feat", "fix", "refactor", "perf")
# What git and its hosts write themselves; commitizen looks at no more than the start.
WRITTEN_BY_TOOLS = (
    "Merge", "Revert", "Pull request", "fixup!", "squash!", "amend!",
)  # fmt: skip
LONGEST_SUBJECT = 72

_HEAD = rf"(?P<type>{'|'.join(TYPES)})(?:\((?P<scope>\S+)\))?(?P<breaking>!)?: "
_SCHEMA = re.compile(rf"(?s){_HEAD}(?P<subject>[^\n\r]+)(?:\n\n.*|\s*)?$")
_RAISES = re.compile(r"((?:BREAKING[- ]CHANGE|\w+)(?:\(.+\))?!?):")
# What commitizen makes an entry of, at the start of the subject or of a paragraph.
ENTRY = re.compile(
    r"(?:(?:feat|fix|refactor|perf|BREAKING CHANGE)(?:\([^()\r\n]*\)|\()?!?|\w+!):\s"
)
_SCISSORS = "------------------------ >8 ------------------------"


class Increment(IntEnum):
    """Which part of the version a line raises."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a conventional commit."""

    type: str
    scope: str | None
    breaking: bool
    subject: str


def parse(message: str) -> Header | None:
    """Read type, scope, breaking and subject; None if the schema does not fit."""
    match = _SCHEMA.match(message)
    if match is None:
        return None
    breaking = match["breaking"] is not None
    return Header(match["type"], match["scope"], breaking, match["subject"])


def increment(line: str) -> Increment:
    """Return what commitizen makes of one line, wherever in the message it stands."""
    match = _RAISES.match(line)
    if match is None:
        return Increment.NONE
    head = match[1]
    if head.endswith("!") or head.startswith(("BREAKING CHANGE", "BREAKING-CHANGE")):
        return Increment.MAJOR
    if head.startswith("feat"):
        return Increment.MINOR
    if head.startswith(("fix", "refactor", "perf")):
        return Increment.PATCH
    return Increment.NONE


def without_comments(text: str) -> str:
    """Take out of a message file what git takes out: comments and a verbose diff."""
    kept = []
    for line in text.split("\n"):
        if _SCISSORS in line:
            break
        if not line.startswith("#"):
            kept.append(line)
    return "\n".join(kept)


LONGEST_SHOWN = 120


def shown(text: str) -> str:
    """Make a text from outside safe to print: one line, nothing that steers a terminal.

    A line break in a title could otherwise begin a command to the CI that prints it.
    """
    safe = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )
    return safe if len(safe) <= LONGEST_SHOWN else f"{safe[:LONGEST_SHOWN]}…"
