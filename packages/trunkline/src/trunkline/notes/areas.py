"""Map a path to the part of the project that it belongs to. Pure."""

from fnmatch import fnmatchcase

# The first match wins. A feature is a folder of `core`; its tests mirror it.
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
