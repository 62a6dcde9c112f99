"""The commitizen plugin: this tool's commit rules and changelog in every `cz` command.

An entry point, `name = "trunkline"` in [tool.commitizen] selects it.
"""

import os
import sys
from collections.abc import Mapping

from commitizen.config.base_config import BaseConfig
from commitizen.cz.base import ValidationResult
from commitizen.cz.conventional_commits.conventional_commits import (
    ConventionalCommitsCz,
)
from commitizen.exceptions import NotAllowed
from commitizen.git import GitCommit, GitTag
from jinja2 import PackageLoader

from trunkline.commits.conventional import (
    ENTRY,
    INCREMENTS,
    SCHEMA,
    breaking_entries,
    conventional_title,
    entries,
    problems,
)
from trunkline.errors import TrunklineError
from trunkline.git import overruled
from trunkline.releases.changelog import add_release


class TrunklineCz(ConventionalCommitsCz):
    """Conventional Commits whose changelog lists exactly what raises the version."""

    bump_pattern = ENTRY
    bump_map: Mapping[str, str | None] = INCREMENTS
    bump_map_major_version_zero: Mapping[str, str | None] = {
        pattern: "MINOR" if part == "MAJOR" else part
        for pattern, part in INCREMENTS.items()
    }
    commit_parser = ENTRY
    changelog_pattern = ".*"  # `filter_commits` has chosen already.
    change_type_map = {  # noqa: RUF012 - as commitizen declares it
        "feat": "Feat",
        "fix": "Fix",
        "refactor": "Refactor",
        "perf": "Perf",
        "revert": "Revert",
        "BREAKING-CHANGE": "BREAKING CHANGE",
    }
    template_loader = PackageLoader("trunkline.releases", "templates")

    def __init__(self, config: BaseConfig) -> None:
        super().__init__(config)
        # commitizen guesses the encoding of what git prints, and sometimes wrongly.
        os.environ.update(overruled())
        self.before: str | None = None
        if "bump" in sys.argv:
            from trunkline.releases.bump_files import begin_bump  # noqa: PLC0415

            try:
                self.before = begin_bump(config.settings)
            except TrunklineError as error:
                raise NotAllowed(str(error)) from error
            _ask_nothing_about_the_first_tag()
            _read_lines_as_git_writes_them()

    def filter_commits(self, commits: list[GitCommit]) -> list[GitCommit]:
        """Reduce each body to its entries, for the version and the changelog alike.

        A host writes the title of a pull request into the body of its merge commit. The
        merged commits have entries of their own, so that it counts only if it tells of
        a breaking change that they do not.
        """
        titles = {commit.title for commit in commits}
        for commit in commits:
            merge = commit.title.startswith("Merge")
            body = (breaking_entries if merge else entries)(commit.body)
            commit.body = "" if merge and body in titles else body
            commit.title = conventional_title(commit.title)
        return commits

    def changelog_hook(self, changelog: str, partial: str | None) -> str:
        """Keep what people have written in the changelog; a dry run has only news."""
        written = partial and self.before is not None
        return add_release(str(self.before), changelog) if written else changelog

    def schema_pattern(self) -> str:
        """Return the pattern that a whole message must match."""
        return SCHEMA

    def validate_commit_message(
        self, *, commit_msg: str, allow_abort: bool, **_: object
    ) -> ValidationResult:
        """Check a message by the rules of `trunkline commits`."""
        if not commit_msg:
            return ValidationResult(allow_abort, ["the message is empty"])
        broken = problems(commit_msg, fix="")
        found = [f"{it.found}\nexpected: {it.expected}" for it in broken]
        return ValidationResult(not found, found)


def _ask_nothing_about_the_first_tag() -> None:
    """Have `cz bump` take a missing tag for the first release.

    It would ask, and without a terminal end in a traceback. The guard refuses a version
    without a tag unless nothing has ever been released.
    """
    from commitizen.commands.bump import Bump  # noqa: PLC0415 - it imports plugins

    def is_initial_tag(_: Bump, tag: GitTag | None, *_yes: bool) -> bool:
        return tag is None

    Bump._is_initial_tag = is_initial_tag  # type: ignore[assignment]


def _read_lines_as_git_writes_them() -> None:
    """Have commitizen take Unicode's line separators in a subject for spaces."""

    def from_text(cls: type[GitCommit], text: str) -> GitCommit:
        read = (" ".join(line.splitlines()) for line in text.split("\n"))
        rev, parents, title, author, email, *body = read
        return cls(rev, title, "\n".join(body), author, email, parents.split())

    GitCommit.from_rev_and_commit = classmethod(from_text)  # type: ignore[assignment]
