"""What the rules of a release look at, gathered once and frozen."""

from dataclasses import dataclass

from trunkline.project import HOTFIX_PREFIX
from trunkline.versions import Version


@dataclass(frozen=True, slots=True)
class TagState:
    """One tag here and on the remote: ids of the tag objects, None where absent."""

    name: str
    local: str | None = None
    remote: str | None = None
    # The commit that the local tag points at, and whether HEAD contains it or a
    # cherry-pick of it.
    commit: str | None = None
    reached: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the rules look at, gathered once."""

    trunk: str
    remote: str
    branch: str | None
    head: str
    shallow: bool
    # The git operation that is under way, such as "merge".
    operation: str | None
    # The tag of a release that stopped half-way and left its record.
    interrupted: str | None
    # Paths with changes that are not commitizen's own.
    changed: tuple[str, ...]
    identity_problem: str | None
    signing_problem: str | None
    remote_problem: str | None
    # With no remote at all nobody else can have released; only a push is not possible.
    remote_missing: bool
    # The tip of the branch on the remote, and commits that only one side has.
    remote_tip: str | None
    behind: int
    ahead: int
    # The version that HEAD holds, and the one that commitizen starts from.
    current: Version
    written: Version
    current_tag: TagState
    # Whether the changelog of HEAD has a section for `current`.
    recorded: bool
    any_version_tag: bool
    keeps_major_zero: bool
    # What is to be released; None where only the repository is looked at.
    next_tag: TagState | None = None
    section_empty: bool = False

    @property
    def next(self) -> Version | None:
        """The next version; None if its tag is no version's."""
        return Version.from_tag(self.next_tag.name) if self.next_tag else None

    @property
    def hotfix(self) -> Version | None:
        """The version that a hotfix branch is named after; None on another branch."""
        branch = self.branch or ""
        if not branch.startswith(HOTFIX_PREFIX):
            return None
        version = Version.from_tag(branch.removeprefix(HOTFIX_PREFIX))
        return version if version and version.stable else None
