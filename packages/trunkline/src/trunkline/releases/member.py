"""`trunkline release --package NAME`: the next version of a micropackage.

A run that was killed is finished by the next one: a version whose tag the remote lacks
is released as it stands.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from trunkline import process
from trunkline.commits.conventional import INCREMENTS, conventional_title, entries
from trunkline.commits.history import Commit, changed_paths, read_commits
from trunkline.errors import Refusal, UsageError
from trunkline.git import HEADS, TAGS
from trunkline.output import confirm, refuse, say
from trunkline.project import LOCK, PYPROJECT
from trunkline.releases.clone import LockedClone
from trunkline.releases.delivery import ask, not_pushed, send
from trunkline.releases.rules import refusals
from trunkline.releases.state import State
from trunkline.releases.survey import gather, read_status
from trunkline.versions import Version
from trunkline.workspace.members import Member, members
from trunkline.workspace.publication import require_dev

# The rules about the clone; those about versions are the service's.
RULES = {
    *("branch", "shallow", "operation", "interrupted", "clean"),
    *("identity", "signing", "remote", "behind"),
}
LEVELS = ("MAJOR", "MINOR", "PATCH")


@dataclass(frozen=True, slots=True)
class MemberRelease:
    """What a release of a member makes; without `bumped` the version stands already."""

    member: Member
    version: Version
    bumped: bool
    commits: tuple[Commit, ...]

    @property
    def tag(self) -> str:
        """The tag that publishes the version."""
        return self.member.tag_of(self.version)

    @property
    def notes(self) -> str:
        """The message of the tag: what GitHub shows as the release."""
        lines = [f"- {commit.subject}" for commit in self.commits]
        return "\n".join([f"{self.member.name} {self.version}", "", *lines])


def release_member(
    clone: LockedClone, name: str, level: str | None, *, dry_run: bool, yes: bool
) -> int:
    """Bump, tag and push a micropackage, all of it or nothing."""
    repository = clone.repository
    member = find_member(members(repository.root), name)
    state = gather(repository, read_status(repository))
    broken = [it for it in refusals(state) if it.rule in RULES]
    if broken:
        return refuse(broken)
    plan = make_plan(clone, state, member, level)
    if plan is None:
        print(f"nothing to release: no commit that raises the version of {name}")
        return 0
    print(f"release {plan.tag} from {state.here.branch}, both pushed or neither")
    print(f"\n{plan.notes}\n")
    if dry_run:
        return 0
    confirm(f"Release {plan.tag}?", yes=yes)
    try:
        return carry_out(clone, state, plan)
    except BaseException:
        take_back(clone, state, plan)
        raise


def current_tag(root: Path, name: str) -> str:
    """Return the tag of the version that a micropackage's folder has."""
    member = find_member(members(root), name)
    return member.tag_of(Version.from_project(str(member.version)))


def find_member(found: Iterable[Member], name: str) -> Member:
    """Return a micropackage in dev mode; raises UsageError or Refusal."""
    own = {member.name: member for member in found if member.origin is None}
    if name not in own:
        listed = ", ".join(own) or "none"
        raise UsageError(f"`{name}` is no micropackage here; expected one of: {listed}")
    member = own[name]
    if member.submodule:
        raise Refusal(
            rule="own-repository",
            found=f"{name}, which has a repository of its own in {member.folder}",
            expected="a release there, which the service then follows",
            fix=f"git submodule update --remote {member.folder}",
        )
    require_dev(member)
    return member


def make_plan(
    clone: LockedClone, state: State, member: Member, level: str | None
) -> MemberRelease | None:
    """Decide on the next version; None if nothing was changed."""
    repository, head = clone.repository, state.here.head
    version = Version.from_project(str(member.version))
    ref = f"{TAGS}{member.tag_of(version)}"
    there = ask(clone, ref, f"{ref}^{{}}")
    released = there.get(f"{ref}^{{}}", there.get(ref))
    if released and not repository.find_commit(released):
        repository.fetch(clone.settings, [ref])
    revisions = (f"^{released}", head) if released else (head,)
    paths = changed_paths(repository, *revisions)
    own = tuple(
        commit
        for commit in read_commits(repository, *revisions, only="--no-merges")
        if any(p.startswith(f"{member.folder}/") for p in paths.get(commit.hash, ()))
    )
    if not released:
        return MemberRelease(member, version, bumped=False, commits=own)
    level = level or increment(commit.message for commit in own)
    if level is None:
        return None
    return MemberRelease(member, raised(version, level), bumped=True, commits=own)


def increment(messages: Iterable[str]) -> str | None:
    """Return which number the commits raise, by the rules of the service's own."""
    found = set()
    for message in messages:
        subject, _, body = message.partition("\n\n")
        for line in (conventional_title(subject), *entries(body).split("\n\n")):
            word = line.partition(": ")[0]
            found |= {level for it, level in INCREMENTS.items() if re.match(it, word)}
    return min(found, key=LEVELS.index, default=None)


def raised(version: Version, level: str) -> Version:
    """Return the next version; before 1.0.0 a breaking change raises the minor."""
    match level, version.major:
        case ("MAJOR", major) if major:
            return Version(major + 1, 0, 0)
        case ("MAJOR" | "MINOR", major):
            return Version(major, version.minor + 1, 0)
    return Version(version.major, version.minor, version.patch + 1)


def carry_out(clone: LockedClone, state: State, plan: MemberRelease) -> int:
    """Commit the version if it is new, tag it, and push both or neither."""
    member, tag = plan.member, plan.tag
    if plan.bumped:
        bump = ("uv", "version", "--no-sync", "--package", member.name)
        root = clone.repository.root
        process.run([*bump, str(plan.version)], cwd=root, timeout=300, check=True)
        subject = f"build({member.name}): release {plan.version}"
        clone.git("commit", "-q", "-m", subject, "--", *edited(member)).required()
    commit = clone.repository.read("rev-parse", "HEAD")
    # A killed run may have left its tag, which the remote lacks.
    options = ("-a", "--force", "--cleanup=verbatim", "-F", "-", tag)
    clone.git("tag", *options, stdin=plan.notes.encode()).required()
    branch, ref = f"{HEADS}{state.here.branch}", f"{TAGS}{tag}"
    sent = send(clone, state.remote, f"{commit}:{branch}", f"{ref}:{ref}")
    own = clone.repository.read("rev-parse", ref)
    if not sent.ok and ask(clone, ref).get(ref) != own:
        raise not_pushed(state, tag, sent, package=member.name)
    print(f"released {tag}: {state.here.branch} and {tag} are on {state.remote}")
    return 0


def take_back(clone: LockedClone, state: State, plan: MemberRelease) -> None:
    """Undo a release that is not on the remote; the working tree was clean."""
    ref = f"{TAGS}{plan.tag}"
    made = clone.repository.refs(ref).get(ref)
    if made and ask(clone, ref).get(ref) == made:
        return
    clone.git("tag", "-d", plan.tag)
    if plan.bumped:
        start = state.here.head
        clone.git("reset", "-q", "--keep", start)
        clone.git("checkout", "-q", start, "--", *edited(plan.member))
    say(f"{plan.tag}: undone here")


def edited(member: Member) -> tuple[str, str]:
    """Return the files that a bump of the version edits."""
    return f"{member.folder}/{PYPROJECT}", LOCK
