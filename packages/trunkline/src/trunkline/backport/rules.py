"""What a hotfix brings to the trunk. Pure: facts in, refusals and steps out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from trunkline.commits.history import Commit
from trunkline.errors import Refusal
from trunkline.releases.changelog import Section
from trunkline.releases.rules import Rule, repository
from trunkline.releases.state import State, TagState
from trunkline.versions import Version

LIST_TAGS = "git tag --list 'v*' --sort=-version:refname"
# What `git cherry-pick -x` appends to a message.
_ORIGIN = re.compile(r"\(cherry picked from commit ([0-9a-f]{40,64})\)")


@dataclass(frozen=True, slots=True)
class HotfixCommit:
    """A commit of the hotfix, and why the trunk has it already; empty if it has not."""

    commit: str
    subject: str
    here: str = ""


@dataclass(frozen=True, slots=True)
class Hotfix:
    """A released hotfix as the trunk sees it."""

    tag: TagState
    # The versions in the tag's commit and in its parent; None if unreadable.
    own: Version | None
    previous: Version | None
    # Whether the trunk contains the previous version or lists it in its changelog.
    follows: bool
    section: Section | None
    commits: tuple[HotfixCommit, ...]
    # Whether the trunk's changelog has the section.
    recorded: bool
    # Whether the trunk has nothing that the hotfix lacks.
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
class BackportStep:
    """One commit for the trunk; `commit` is the hotfix's."""

    kind: Kind
    commit: str
    subject: str

    def __str__(self) -> str:
        return f"{self.kind:<9}  {self.commit[:12]}  {self.subject}"


def origins(message: str) -> list[str]:
    """Return the commits that a message says it was picked from."""
    return _ORIGIN.findall(message)


def section_subject(tag: str) -> str:
    """Return the subject of the commit that inserts a changelog section."""
    return f"docs(changelog): record {tag}"


def made_by(hotfix: Hotfix, commit: Commit) -> bool:
    """Whether a backport of this hotfix made the commit."""
    originals = {it.commit for it in hotfix.commits} | {hotfix.tag.commit}
    section = commit.subject == section_subject(hotfix.tag.name)
    return section or not originals.isdisjoint(origins(commit.message))


def on_trunk(state: State) -> Iterator[Refusal]:
    if state.here.branch != state.trunk:
        yield Refusal(
            rule="branch",
            found=f"branch {state.here.branch or '(detached)'}",
            expected=f"the trunk, branch {state.trunk}",
            fix=f"git switch {state.trunk}",
        )


# What must hold on the trunk before a backport.
RULES: tuple[Rule, ...] = (
    on_trunk,
    repository.usable_clone,
    repository.able_to_commit,
    repository.right_remote,
    repository.same_as_remote,
    repository.no_half_made_release,
    repository.up_to_date,
)


def refuse_tag(tag: TagState, remote: str) -> Iterator[Refusal]:
    """Refuse a tag that does not belong to a released hotfix."""
    name, version = tag.name, Version.from_tag(tag.name)
    if version is None or not version.stable or version.patch == 0:
        yield Refusal(
            rule="hotfix",
            found=name,
            expected="a patch release of an older line, such as v1.1.1",
            fix=LIST_TAGS,
        )
    elif tag.remote is None:
        nowhere = f"no tag {name}, neither here nor on {remote}"
        yield Refusal(
            rule="hotfix",
            found=f"{name} is here and not on {remote}" if tag.local else nowhere,
            expected=f"the same {name} here and on {remote}",
            fix=f"git switch hotfix/{name} && uv run trunkline release"
            if tag.local
            else LIST_TAGS,
        )
    else:
        yield from repository.same_tag(tag, remote=remote, rule="hotfix")


def refuse_hotfix(hotfix: Hotfix, *, trunk: str) -> Iterator[Refusal]:
    """Refuse a release that `cz` did not make, or whose line the trunk lacks."""
    name, version, previous = hotfix.tag.name, hotfix.version, hotfix.previous
    if hotfix.own != version or hotfix.section is None:
        yield Refusal(
            rule="hotfix",
            found=f"{name} has version {hotfix.own} and "
            f"{'its' if hotfix.section else 'no'} changelog section",
            expected="a commit of `cz bump`, with the version and its section",
            fix=f"git show --stat {name}",
        )
    elif not (
        previous
        and version
        and previous.stable
        and (previous.major, previous.minor) == (version.major, version.minor)
        and previous < version
    ):
        yield Refusal(
            rule="hotfix",
            found=f"{name} follows version {previous}",
            expected="a patch release that follows one of its own line",
            fix=f"git log --oneline --graph {trunk} {name}",
        )
    elif not hotfix.follows:
        yield Refusal(
            rule="hotfix",
            found=f"{name} follows {previous.tag}, which {trunk} does not have",
            expected=f"{previous.tag} on {trunk} first",
            fix=f"uv run trunkline backport {previous.tag}"
            if previous.patch
            else f"git log --oneline --graph {trunk} {name}",
        )


def plan_steps(hotfix: Hotfix, *, trunk: Version) -> tuple[BackportStep, ...]:
    """Return what the trunk, which is at version `trunk`, lacks of the hotfix."""
    commit, name = str(hotfix.tag.commit), hotfix.tag.name
    if hotfix.ahead_of_trunk and not hotfix.tag.reached:
        return (BackportStep(Kind.FORWARD, commit, f"to {name}"),)
    steps = [
        BackportStep(Kind.PICK, it.commit, it.subject)
        for it in hotfix.commits
        if not it.here
    ]
    if hotfix.version and trunk < hotfix.version:
        # Otherwise the trunk's next patch would be this version again.
        subject = f"version {trunk} → {hotfix.version}"
        steps.append(BackportStep(Kind.BUMP, commit, subject))
    elif not hotfix.recorded:
        steps.append(BackportStep(Kind.SECTION, commit, section_subject(name)))
    return tuple(steps)
