"""The patterns of branch, tag and path filters. Pure."""

import re
from collections.abc import Iterable, Sequence
from functools import cache

from trunkline.errors import UsageError


def selected(name: str, patterns: Sequence[str]) -> bool:
    """Whether patterns choose a name: the last that matches decides, `!` against it."""
    chosen = False
    for pattern in patterns:
        against = pattern.startswith("!")
        if _compiled(pattern.removeprefix("!")).fullmatch(name):
            chosen = not against
    return chosen


def any_selected(names: Iterable[str], patterns: Sequence[str]) -> bool:
    """Whether patterns choose at least one name."""
    return any(selected(name, patterns) for name in names)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Translate: `**` is anything, `*` stops at a slash, `?` and `+` repeat."""
    parts: list[str] = []
    rest = pattern
    while rest:
        if rest.startswith("**/"):
            part, size = "(?:.*/)?", 3
        elif rest.startswith("**"):
            part, size = ".*", 2
        elif rest[0] == "*":
            part, size = "[^/]*", 1
        elif rest[0] in "?+" and parts:
            part, size = rest[0], 1
        elif rest[0] == "[" and (closed := re.match(r"\[[\w-]+\]", rest)):
            part, size = closed[0], closed.end()
        elif rest[0] == "\\" and len(rest) > 1:
            part, size = re.escape(rest[1]), 2
        else:
            part, size = re.escape(rest[0]), 1
        parts.append(part)
        rest = rest[size:]
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise UsageError(f"`{pattern}` is no pattern of a filter: {error}") from error
