"""Which part of the project a path belongs to. Pure."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

# The first that fits wins. A feature is a folder of `core`, its tests mirror it.
PATTERNS = (
    ("src", "*", "core", "*"),
    ("src", "*"),
    ("tests", "core", "*"),
    ("packages", "*"),
    ("*",),
)
ROOT = "(root)"


def area_of(path: str) -> str:
    """Name the folder that a file is shown with; files of the root are one area."""
    folders = path.split("/")[:-1]
    for pattern in PATTERNS:
        parts = folders[: len(pattern)]
        if len(parts) == len(pattern) and all(map(fnmatchcase, parts, pattern)):
            return "/".join(parts)
    return ROOT


def file_names(areas: Iterable[str]) -> dict[str, str]:
    """Give every area a file name of its own, also where case does not count."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for area in areas:
        base = re.sub(r"[^\w.-]+", "-", area).strip("-.") or "area"
        name, number = base, 1
        while name.casefold() in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name.casefold())
        names[area] = f"{name}.diff"
    return names
