"""pyproject.toml and the changelog, as HEAD or another commit has them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
NO_COMMIT = """the branch has no commit; expected the project's first
  type next: git add --all && git commit -m 'feat: begin'"""
# A changelog may be a link to one in a folder of documents.
_LINKS = "--follow-symlinks"


@dataclass(frozen=True, slots=True)
class Project:
    """What one commit says of the project; both are empty where the file is missing."""

    document: Mapping[str, Any]
    changelog: str = ""

    @property
    def version(self) -> Version:
        """`[project] version`; raises UsageError where there is none."""
        version = self.document.get("project", {}).get("version")
        if not isinstance(version, str):
            raise UsageError("pyproject.toml has no [project] version; expected one")
        return Version.from_project(version)

    @property
    def readable_version(self) -> Version | None:
        """The version; None where there is none or it is no version."""
        try:
            return self.version
        except UsageError:
            return None

    @property
    def commitizen(self) -> Mapping[str, Any]:
        """`[tool.commitizen]`."""
        table = self.document.get("tool", {}).get("commitizen", {})
        return table if isinstance(table, dict) else {}

    @property
    def changelog_file(self) -> str:
        """The path of the changelog, which commitizen can be told to keep elsewhere."""
        return str(self.commitizen.get("changelog_file", CHANGELOG))

    @property
    def settings(self) -> Settings:
        """`[tool.trunkline]`."""
        return parse_settings(self.document)


def project_at(repository: Repository, commit: str) -> Project:
    """Read the project of a commit."""
    names = (f"{commit}:{PYPROJECT}", f"{commit}:{CHANGELOG}")
    found = repository.objects(names, _LINKS)
    file, history = (found[name] for name in names)
    project = Project(parse_project(file.content) if file else {})
    if project.changelog_file != CHANGELOG:
        elsewhere = f"{commit}:{project.changelog_file}"
        history = repository.objects([elsewhere], _LINKS)[elsewhere]
    return replace(project, changelog=decode_text(history.content) if history else "")


def head_project(repository: Repository) -> Project:
    """Read the project of HEAD, which no half-made bump can have damaged."""
    project = project_at(repository, "HEAD")
    if not project.document:
        if repository.find_commit("HEAD") is None:
            raise UsageError(NO_COMMIT)
        raise UsageError(
            "HEAD has no pyproject.toml; expected one in the root of the repository\n"
            "  type next: git ls-files '*pyproject.toml'"
        )
    return project


def parse_project(pyproject: bytes) -> dict[str, Any]:
    """Parse a pyproject.toml; raises UsageError where it is no TOML."""
    try:
        return tomllib.loads(pyproject.decode("utf-8"))
    except ValueError as error:
        raise UsageError(f"pyproject.toml cannot be read: {error}") from error
