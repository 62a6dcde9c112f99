"""The packages that `trunkline packages` can switch: micropackages and copied ones.

A micropackage lives in a folder of the workspace and is published from there. Any other
package from git lives in its own repository; dev mode copies its files into the
workspace, with a file that remembers where they came from.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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

    def tag_of(self, version: Version) -> str:
        """Return the tag that publishes a version.

        In the service's repository `vX.Y.Z` is the service's own tag; in that of a
        submodule it is the member's.
        """
        return version.tag if self.submodule else f"{self.name}-{version.tag}"


def members(root: Path) -> list[Member]:
    """List the packages that the project requires from the workspace or from git."""
    document = read_toml(root / "pyproject.toml")
    project, uv = document.get("project", {}), document.get("tool", {}).get("uv", {})
    extras = project.get("optional-dependencies", {}).values()
    shipped = {*_names([project.get("dependencies", []), *extras])}
    required = shipped | {*_names(document.get("dependency-groups", {}).values())}
    sources = {
        normal(name): source
        for name, source in uv.get("sources", {}).items()
        # A list of sources, one for each platform, is not ours to switch.
        if isinstance(source, dict)
    }
    folders = _folders(root, uv.get("workspace", {}).get("members", []))
    here = [member for folder in folders for member in _members(root, folder, sources)]
    known = {member.name for member in here}
    elsewhere = [
        Member(name, f"packages/{name}", None, "prod", revision(source), origin=source)
        for name, source in sorted(sources.items())
        if "git" in source and name not in known
    ]
    return [
        replace(member, shipped=member.name in shipped)
        for member in here + elsewhere
        if member.name in required
    ]


def revision(source: Source) -> str | None:
    """Return the tag, branch or commit that a git source names."""
    found = source.get("tag") or source.get("branch") or source.get("rev")
    return str(found) if found else None


def mode_of(source: Source) -> Mode:
    """Tell which mode an entry of `[tool.uv.sources]` stands for."""
    if source.get("workspace") is True:
        return "dev"
    return "prod" if "git" in source else "other"


def normal(name: str) -> str:
    """Normalise a distribution's name, as PyPA's specification of names says."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _members(
    root: Path, folder: str, sources: Mapping[str, Source]
) -> Iterator[Member]:
    """Yield the package in a folder, unless it holds something else."""
    file, origin = root / folder / "pyproject.toml", root / folder / ORIGIN
    own = read_toml(file).get("project", {}) if file.is_file() else {}
    if not own and any((root / folder).iterdir()):
        return
    # A submodule that is not checked out can only be known by its empty folder.
    name = normal(own.get("name", Path(folder).name))
    source = sources.get(name, {})
    yield Member(
        name,
        folder,
        own.get("version"),
        mode_of(source),
        revision(source),
        submodule=not own or (root / folder / ".git").exists(),
        origin=read_toml(origin) if origin.is_file() else None,
    )


def _names(lists: Iterable[list[Any]]) -> Iterator[str]:
    """Yield the names of requirements; a group may also include another group."""
    for requirements in lists:
        for requirement in requirements:
            if isinstance(requirement, str) and (match := _REQUIRED.match(requirement)):
                yield normal(match[1])


def _folders(root: Path, globs: Iterable[str]) -> list[str]:
    """Expand the workspace's globs, including members that prod mode excludes."""
    found = {folder for pattern in globs for folder in root.glob(pattern)}
    return sorted(f.relative_to(root).as_posix() for f in found if f.is_dir())
