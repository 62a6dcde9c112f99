"""The micropackages under `packages/` that the service depends on."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trunkline.errors import UsageError
from trunkline.versions import Version

Mode = Literal["dev", "prod", "other"]
# The tool is on the road, not in the service: it has no mode.
TOOL = "trunkline"
_REQUIRED = re.compile(r"^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")


@dataclass(frozen=True, slots=True)
class Member:
    """One micropackage: `folder` is relative to the project's root.

    A submodule that has not been checked out has no `version`.
    """

    name: str
    folder: str
    version: str | None
    mode: Mode
    # The tag that prod mode uses.
    tag: str | None
    submodule: bool

    def tags(self, version: Version) -> tuple[str, ...]:
        """Return the names that the tag of a version may have, the usual one first.

        `vX.Y.Z` is the service's own in its repository, and the member's in that of
        a submodule.
        """
        own = f"{self.name}-{version.tag}"
        return (version.tag, own) if self.submodule else (own,)


def members(root: Path) -> list[Member]:
    """List the members that the service depends on; raises UsageError if unreadable."""
    project = read_toml(root / "pyproject.toml")
    wanted = set(_requirements(project.get("project", {})))
    uv = project.get("tool", {}).get("uv", {})
    sources = {normal(name): source for name, source in uv.get("sources", {}).items()}
    found = []
    for folder in _folders(root, uv.get("workspace", {}).get("members", [])):
        file = root / folder / "pyproject.toml"
        own = read_toml(file).get("project", {}) if file.is_file() else {}
        # A submodule that is not checked out can only be known by its folder.
        name = normal(own.get("name", Path(folder).name))
        if name in wanted and name != TOOL:
            source = sources.get(name, {})
            found.append(
                Member(
                    name,
                    folder,
                    own.get("version"),
                    mode_of(source),
                    source.get("tag") if isinstance(source, dict) else None,
                    submodule=not own or (root / folder / ".git").exists(),
                )
            )
    return found


def mode_of(source: object) -> Mode:
    """Tell what an entry of `[tool.uv.sources]` makes of a member."""
    match source:
        case {"workspace": True}:
            return "dev"
        case {"git": _, "tag": _}:
            return "prod"
    return "other"


def normal(name: str) -> str:
    """Normalise a distribution's name, as PyPA's specification of names says."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_toml(file: Path) -> dict[str, Any]:
    """Read a TOML file; raises UsageError that names it."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error


def _requirements(project: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of all that the service requires, also optionally."""
    extras: Iterable[list[str]] = project.get("optional-dependencies", {}).values()
    for requirements in (project.get("dependencies", []), *extras):
        for requirement in requirements:
            if match := _REQUIRED.match(requirement):
                yield normal(match[1])


def _folders(root: Path, globs: Iterable[str]) -> list[str]:
    """Expand the workspace's globs, also to members that prod mode excludes."""
    found = {
        folder.relative_to(root).as_posix()
        for pattern in globs
        for folder in root.glob(pattern)
        if folder.is_dir()
    }
    return sorted(found)
