"""pyproject.toml and the changelog, as HEAD or another commit has them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trunkline.errors import UsageError
from trunkline.files import decode_text
from trunkline.git import Repository
from trunkline.settings import Settings, parse_settings
from trunkline.versions import Version

PYPROJECT = "pyproject.toml"
LOCK = "uv.lock"
CHANGELOG = "CHANGELOG.md"
# A hotfix is released from the branch of this prefix and its version's tag.
HOTFIX_PREFIX = "hotfix/"


@dataclass(frozen=True, slots=True)
class Project:
    """What one commit says of the project; both are empty where the file is missing."""

    document: Mapping[str, Any]
    changelog: str

    @property
    def version(self) -> Version:
        """`[project] version`; raises UsageError where there is none."""
        return version_of(self.document)

    @property
    def commitizen(self) -> Mapping[str, Any]:
        """`[tool.commitizen]`."""
        table = self.document.get("tool", {}).get("commitizen", {})
        return table if isinstance(table, dict) else {}

    @property
    def settings(self) -> Settings:
        """`[tool.trunkline]`."""
        return parse_settings(self.document)


def project_at(
    repository: Repository, commit: str, changelog: str = CHANGELOG
) -> Project:
    """Read the project of a commit."""
    names = (f"{commit}:{PYPROJECT}", f"{commit}:{changelog}")
    found = repository.objects(names)
    project, history = (found[name] for name in names)
    return Project(
        parse_project(project.content) if project else {},
        decode_text(history.content) if history else "",
    )


def head_project(repository: Repository, changelog: str = CHANGELOG) -> Project:
    """Read the project of HEAD, which no half-made bump can have damaged."""
    project = project_at(repository, "HEAD", changelog)
    if not project.document:
        raise UsageError("HEAD has no pyproject.toml; expected the project's root")
    return project


def parse_project(pyproject: bytes) -> dict[str, Any]:
    """Parse a pyproject.toml; raises UsageError where it is no TOML."""
    try:
        return tomllib.loads(pyproject.decode("utf-8"))
    except ValueError as error:
        raise UsageError(f"pyproject.toml cannot be read: {error}") from error


def version_of(document: Mapping[str, Any]) -> Version:
    """Return `[project] version`; raises UsageError where there is none."""
    version = document.get("project", {}).get("version")
    if not isinstance(version, str):
        raise UsageError("pyproject.toml has no [project] version; expected one")
    return Version.from_project(version)
