"""What a hotfix brings to the trunk. Pure: facts in, refusals and steps out."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from trunkline.errors import Refusal
from trunkline.releases.changelog import Section
from trunkline.releases.state import TagState
from trunkline.versions import Version

LIST_TAGS = "git tag --list 'v*' --sort=-version:refname"
# What `git cherry-pick -x` writes under a message.
_ORIGIN = re.compile(r"\(cherry picked from commit ([0-9a-f]{40,64})\)")


@dataclass(frozen=True, slots=True)
class Fix:
    """A commit of the hotfix, and why the trunk has it already; empty if it has not."""

    commit: str
    subject: str
    here: str = ""


@dataclass(frozen=True, slots=True)
class Hotfix:
    """A released hotfix as the trunk sees it."""

    tag: TagState
    # Versions that the tag's commit and the one before it hold; None if unreadable.
    own: Version | None
    previous: Version | None
    # Whether the trunk contains the previous version or its changelog tells of it.
    follows: bool
    section: Section | None
    fixes: tuple[Fix, ...]
    # Whether the trunk's changelog has the section.
    recorded: bool
    # Whether the trunk has nothing that the hotfix has not.
    ahead_of_trunk: bool

    @property
    def version(self) -> Version | None:
        """The version that the tag names."""
        return Version.from_tag(self.tag.name)


class Kind(StrEnum):
    """What a step does."""

    PICK = "pick"
    SECTION = "changelog"
    BUMP = "bump"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class Step:
    """One commit that the trunk is to get; `commit` is the hotfix's."""

    kind: Kind
    commit: str
    subject: str

    def __str__(self) -> str:
        return f"{self.kind:<9}  {self.commit[:12]}  {self.subject}"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit on the trunk."""

    oid: str
    message: str

    @property
    def subject(self) -> str:
        """The first line of the message; what is no UTF-8 in it is replaced."""
        line = self.message.partition("\n")[0]
        return line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def origins(message: str) -> list[str]:
    """Return the commits that a message says it was picked from."""
    return _ORIGIN.findall(message)


def section_subject(tag: str) -> str:
    """Return the subject of the commit that inserts a changelog section."""
    return f"docs(changelog): record {tag}"


def refuse_tag(tag: TagState, *, remote: str) -> Refusal | None:
    """Refuse a tag that is no released hotfix's."""
    version = Version.from_tag(tag.name)
    if version is None or not version.stable or version.patch == 0:
        return Refusal(
            rule="hotfix",
            found=f"{tag.name}",
            expected="a patch release of an older line, such as v1.1.1",
            fix=LIST_TAGS,
        )
    if tag.local == tag.remote and tag.local:
        return None
    ref = f"refs/tags/{tag.name}"
    match tag.local, tag.remote:
        case None, None:
            found = f"no tag {tag.name}, neither here nor on {remote}"
            fix = LIST_TAGS
        case None, _:
            found, fix = f"{tag.name} is on {remote} only", "git fetch --tags"
        case _, None:
            found = f"{tag.name} is here and not on {remote}"
            fix = f"git switch hotfix/{tag.name} && uv run trunkline release"
        case here, there:
            found = f"{tag.name} is {here[:12]} here and {there[:12]} there"
            fix = f"git fetch {remote} +{ref}:{ref}"
    return Refusal(
        rule="hotfix",
        found=found,
        expected=f"the same {tag.name} here and on {remote}",
        fix=fix,
    )


def refuse_hotfix(hotfix: Hotfix, *, trunk: str) -> Refusal | None:
    """Refuse a release that `cz` did not make, or of a line that is not here."""
    name, version, previous = hotfix.tag.name, hotfix.version, hotfix.previous
    if hotfix.own != version or hotfix.section is None:
        return Refusal(
            rule="hotfix",
            found=f"{name} holds version {hotfix.own} and "
            f"{'its' if hotfix.section else 'no'} changelog section",
            expected="a commit of `cz bump`, with the version and its section",
            fix=f"git show --stat {name}",
        )
    if previous is None or version is None or not _one_line(previous, version):
        return Refusal(
            rule="hotfix",
            found=f"{name} follows version {previous}",
            expected="a patch release that follows one of its own line",
            fix=f"git log --oneline --graph {trunk} {name}",
        )
    if not hotfix.follows:
        return Refusal(
            rule="hotfix",
            found=f"{name} follows {previous.tag}, of which {trunk} has nothing",
            expected=f"{previous.tag} on {trunk} first",
            fix=f"uv run trunkline backport {previous.tag}"
            if previous.patch
            else f"git log --oneline --graph {trunk} {name}",
        )
    return None


def _one_line(previous: Version, version: Version) -> bool:
    line = (previous.major, previous.minor) == (version.major, version.minor)
    return line and previous.stable and previous < version


def plan_steps(hotfix: Hotfix, *, trunk: Version) -> tuple[Step, ...]:
    """Say what the trunk, which is at version `trunk`, has to get; nothing if empty."""
    commit, name = str(hotfix.tag.commit), hotfix.tag.name
    if hotfix.ahead_of_trunk and not hotfix.tag.reached:
        return (Step(Kind.FORWARD, commit, f"to {name}"),)
    steps = [
        Step(Kind.PICK, fix.commit, fix.subject) for fix in hotfix.fixes if not fix.here
    ]
    if hotfix.version and trunk < hotfix.version:
        # Without it the trunk's next patch would be this version once more.
        steps.append(Step(Kind.BUMP, commit, f"version {trunk} → {hotfix.version}"))
    elif not hotfix.recorded:
        steps.append(Step(Kind.SECTION, commit, section_subject(name)))
    return tuple(steps)


@dataclass(frozen=True, slots=True)
class Progress:
    """Which steps the trunk's new commits are, and which commits are no step's."""

    done: tuple[Commit, ...]
    remaining: tuple[Step, ...]
    foreign: tuple[Commit, ...]


def progress(steps: Sequence[Step], commits: Iterable[Commit]) -> Progress:
    """Tell how far a backport is from the commits since its start, oldest first.

    Nothing else records it, so that a crash between a commit and its record cannot
    happen, and a commit that a person made with `git cherry-pick --continue` counts.
    """
    done: list[Commit] = []
    foreign: list[Commit] = []
    remaining = list(steps)
    for commit in commits:
        if remaining and _makes(commit, remaining[0]):
            done.append(commit)
            remaining.pop(0)
        else:
            foreign.append(commit)
    return Progress(tuple(done), tuple(remaining), tuple(foreign))


def _makes(commit: Commit, step: Step) -> bool:
    if step.kind is Kind.SECTION:
        return commit.subject == step.subject
    return step.commit in origins(commit.message)
