"""The packages that `trunkline packages` can switch: micropackages and copied ones.

A micropackage lives in a folder of the workspace and is published from there. Any other
package from git lives in its own repository; dev mode copies its files into the
workspace, with a file that remembers where they came from.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trunkline.files import read_toml
from trunkline.versions import Version

Mode = Literal["dev", "prod", "other"]
Source = Mapping[str, str | bool]
WORKSPACE: Source = {"workspace": True}
# In the folder of a copied package: its git source.
ORIGIN = ".trunkline-origin.toml"
_REQUIRED = re.compile(r"^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")


@dataclass(frozen=True, slots=True)
class Member:
    """One package: `folder` is relative to the project's root.

    A submodule that has not been checked out has no `version`, and neither has a
    package whose files are in another repository.
    """

    name: str
    folder: str
    version: str | None
    mode: Mode
    # The tag, branch or revision that prod mode uses.
    tag: str | None
    submodule: bool = False
    # The git source of a package from another repository.
    origin: Source | None = None
    # Whether the service itself needs it, and not only its developers.
    shipped: bool = True

    @property
    def switched_by_default(self) -> bool:
        """Whether `packages use` without names switches it."""
        return self.shipped and self.origin is None

    def tag_of(self, version: Version) -> str:
        """Return the tag that publishes a version.

        In the service's repository `vX.Y.Z` is the service's own tag; in that of a
        submodule it is the member's.
        """
        return version.tag if self.submodule else f"{self.name}-{version.tag}"


@dataclass(frozen=True, slots=True)
class _Project:
    """What pyproject.toml says about packages."""

    shipped: frozenset[str]
    required: frozenset[str]
    sources: Mapping[str, Source]
    globs: tuple[str, ...]


def members(root: Path) -> list[Member]:
    """List the packages whose files are in the workspace and that the project requires.

    Raises UsageError if a pyproject.toml cannot be read.
    """
    project = _read_project(root)
    found = (_member(root, folder, project) for folder in _folders(root, project.globs))
    return [m for m in found if m is not None and m.name in project.required]


def switchable(root: Path) -> list[Member]:
    """List the members and the required packages that come from a git repository."""
    project = _read_project(root)
    here = members(root)
    known = {member.name for member in here}
    elsewhere = [
        Member(
            name,
            f"packages/{name}",
            version=None,
            mode="prod",
            tag=revision(source),
            origin=source,
            shipped=name in project.shipped,
        )
        for name, source in sorted(project.sources.items())
        if "git" in source and name in project.required - known
    ]
    return here + elsewhere


def revision(source: Source) -> str | None:
    """Return the tag, branch or commit that a git source names."""
    found = source.get("tag") or source.get("branch") or source.get("rev")
    return str(found) if found else None


def mode_of(source: Source) -> Mode:
    """Tell which mode an entry of `[tool.uv.sources]` stands for."""
    match source:
        case {"workspace": True}:
            return "dev"
        case {"git": _}:
            return "prod"
    return "other"


def normal(name: str) -> str:
    """Normalise a distribution's name, as PyPA's specification of names says."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _member(root: Path, folder: str, project: _Project) -> Member | None:
    file, origin = root / folder / "pyproject.toml", root / folder / ORIGIN
    own = read_toml(file).get("project", {}) if file.is_file() else {}
    if not own and any((root / folder).iterdir()):
        return None
    # A submodule that is not checked out can only be known by its empty folder.
    name = normal(own.get("name", Path(folder).name))
    source = project.sources.get(name, {})
    return Member(
        name,
        folder,
        own.get("version"),
        mode_of(source),
        revision(source),
        submodule=not own or (root / folder / ".git").exists(),
        origin=read_toml(origin) if origin.is_file() else None,
        shipped=name in project.shipped,
    )


def _read_project(root: Path) -> _Project:
    document = read_toml(root / "pyproject.toml")
    uv = document.get("tool", {}).get("uv", {})
    project = document.get("project", {})
    extras = project.get("optional-dependencies", {}).values()
    groups = document.get("dependency-groups", {}).values()
    shipped = frozenset(_names([project.get("dependencies", []), *extras]))
    sources = uv.get("sources", {}).items()
    return _Project(
        shipped,
        shipped | set(_names(groups)),
        # A list of sources, one for each platform, is not ours to switch.
        {normal(name): source for name, source in sources if isinstance(source, dict)},
        tuple(uv.get("workspace", {}).get("members", [])),
    )


def _names(lists: Iterable[list[Any]]) -> Iterator[str]:
    """Yield the names of requirements; a group may also include another group."""
    for requirements in lists:
        for requirement in requirements:
            if isinstance(requirement, str) and (match := _REQUIRED.match(requirement)):
                yield normal(match[1])


def _folders(root: Path, globs: Iterable[str]) -> list[str]:
    """Expand the workspace's globs, including members that prod mode excludes."""
    found = {
        folder.relative_to(root).as_posix()
        for pattern in globs
        for folder in root.glob(pattern)
        if folder.is_dir()
    }
    return sorted(found)
