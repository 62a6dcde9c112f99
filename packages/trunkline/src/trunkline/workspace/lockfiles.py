"""Summarise the change of a lock file in one line. Pure."""

import tomllib
from collections.abc import Mapping
from pathlib import PurePosixPath

_TOML = frozenset({"uv.lock", "poetry.lock", "pdm.lock", "Cargo.lock", "pylock.toml"})
_OTHER = frozenset(
    {"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml",
     "bun.lock", "Pipfile.lock", "go.sum", "composer.lock", "Gemfile.lock",
     "pixi.lock", "flake.lock"}
)  # fmt: skip
SHOWN = 40

Packages = Mapping[str, tuple[str, ...]]


def is_lock_file(path: str) -> bool:
    """Whether the file is the lock file of a package manager."""
    return PurePosixPath(path).name in _TOML | _OTHER


def lock_summary(
    path: str, old: bytes | None, new: bytes | None, *, added: int, removed: int
) -> str:
    """Summarise which packages changed; None stands for a missing file.

    Falls back to the number of changed lines if the file cannot be read.
    """
    lines = f"{added} lines added, {removed} removed"
    try:
        before, after = packages(path, old), packages(path, new)
    except (ValueError, TypeError, KeyError, AttributeError):
        before = after = None
    if before is None or after is None:
        return f"{path}: {lines}"
    changes = [
        _change(name, before.get(name, ()), after.get(name, ()))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
    if not changes:
        return f"{path}: no package changed its version ({lines})"
    noun = "package" if len(changes) == 1 else "packages"
    more = len(changes) - SHOWN
    rest = f" and {more} more" if more > 0 else ""
    return f"{path}: {len(changes)} {noun} changed: {', '.join(changes[:SHOWN])}{rest}"


def packages(path: str, content: bytes | None) -> Packages | None:
    """Read names and versions; None for an unsupported format.

    A package may occur in several versions, for different platforms.
    """
    if PurePosixPath(path).name in _OTHER:
        return None
    if content is None:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for package, version in _toml(content):
        found[package] = tuple(sorted({*found.get(package, ()), version}))
    return found


def _toml(content: bytes) -> list[tuple[str, str]]:
    document = tomllib.loads(content.decode("utf-8"))
    rows = document.get("package") or document.get("packages") or []
    # A package of the workspace may have no version.
    return [(row["name"], str(row.get("version", "local"))) for row in rows]


def _change(name: str, old: tuple[str, ...], new: tuple[str, ...]) -> str:
    before, after = "/".join(old), "/".join(new)
    if not old:
        return f"{name} added {after}"
    return f"{name} {before}→{after}" if new else f"{name} removed {before}"
