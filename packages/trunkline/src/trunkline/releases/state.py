"""What the rules of a release look at, gathered once and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trunkline.project import HOTFIX_PREFIX
from trunkline.releases.changelog import Section
from trunkline.versions import Version

# Follows the name of one whose commit is another than HEAD names.
SUBMODULE = " (a submodule)"


@dataclass(frozen=True, slots=True)
class Status:
    """The branch, its commit, and every path with uncommitted changes."""

    branch: str | None
    head: str
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteAnswer:
    """What the remote has, and how far the branch here is from it."""

    refs: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None
    # The repository has no remote at all, as in a service that was just generated.
    # Nobody else can have released then; only a push is impossible.
    missing: bool = False
    # The remotes there are, if none has the name that is asked for.
    others: tuple[str, ...] = ()
    # The tip of the branch on the remote, and the commits that only one side has.
    tip: str | None = None
    behind: int = 0
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class TagState:
    """One tag here and on the remote: ids of the tag objects, None where absent."""

    name: str
    local: str | None = None
    remote: str | None = None
    # The commit of the local tag, and whether HEAD contains it or a cherry-pick of it.
    commit: str | None = None
    reached: bool = False


@dataclass(frozen=True, slots=True)
class Coming:
    """What is about to be released, and its section of the changelog."""

    tag: TagState
    section: Section | None

    @property
    def version(self) -> Version | None:
        """The next version; None if its tag is malformed."""
        return Version.from_tag(self.tag.name)


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the rules look at, gathered once."""

    trunk: str
    remote: str
    here: Status
    there: RemoteAnswer
    shallow: bool
    # The git operation in progress, such as "merge".
    operation: str | None
    # A lock file of a git command that runs, or was killed.
    lock: str | None
    # The tag of a release that stopped halfway and left its record.
    interrupted: str | None
    identity_problem: str | None
    signing_problem: str | None
    # The version that HEAD holds, and the one that commitizen starts from.
    current: Version
    written: Version
    current_tag: TagState
    # Whether the changelog of HEAD has a section for `current`.
    recorded: bool
    any_version_tag: bool
    # A version tag since the current one, from which commitizen would count.
    stray_tag: TagState | None
    # The remote that the branch tracks, if nobody has said which one is released to.
    tracked: str | None
    keeps_major_zero: bool
    # None if only the repository is checked.
    coming: Coming | None = None
    # Files of a release in which git is told to see no changes: see `git ls-files -v`.
    unwatched: tuple[str, ...] = ()
    # The first version of the changelog, if it has no tag, and the changelog's name.
    planned: tuple[str, str] | None = None

    @property
    def hotfix(self) -> Version | None:
        """The version that a hotfix branch is named after; None on another branch."""
        branch = self.here.branch or ""
        if not branch.startswith(HOTFIX_PREFIX):
            return None
        version = Version.from_tag(branch.removeprefix(HOTFIX_PREFIX))
        return version if version and version.stable else None
