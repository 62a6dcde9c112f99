"""Find what a release left half-made, and bring the clone back to where it started."""

from dataclasses import dataclass

from trunkline.files import clear_record
from trunkline.git import TAGS, Repository, lines
from trunkline.project import (
    HOTFIX_PREFIX,
    PYPROJECT,
    Project,
    head_project,
    project_at,
)
from trunkline.releases.bump_files import bump_files
from trunkline.releases.commitizen import is_bump_subject
from trunkline.releases.journal import RELEASE, Journal, read_journal, write_journal
from trunkline.releases.plan import BumpCommit
from trunkline.releases.state import State
from trunkline.releases.survey import ask_remote, gather, read_status
from trunkline.releases.working_tree import set_aside
from trunkline.versions import Version

# The bump is among the last few commits that touched pyproject.toml.
DEPTH = 10


@dataclass(frozen=True, slots=True)
class Leftover:
    """The state before a release, and the traces of an earlier run."""

    state: State
    project: Project
    journal: Journal | None
    bump: BumpCommit | None

    @property
    def tag(self) -> str:
        """The tag of the release that the earlier run began."""
        return self.journal.tag if self.journal else self.state.current_tag.name


def find_leftover(repository: Repository) -> Leftover:
    """Look at the repository, its remote, and the record of an earlier run."""
    journal = read_journal(repository.git_dir / RELEASE)
    project = head_project(repository)
    status = read_status(repository)
    remote = ask_remote(repository, project.settings, status, ["v*"])
    state = gather(repository, status, remote=remote)
    tag = state.current_tag
    # Searching for the commit walks the history; a finished release does not need it.
    settled = tag.local and tag.local == tag.remote and not remote.ahead
    bump = find_bump(repository, project, state) if journal or not settled else None
    return Leftover(state, project, journal, bump)


def find_bump(
    repository: Repository, project: Project, state: State
) -> BumpCommit | None:
    """Find the commit that set the version of HEAD, if `cz bump` made it."""
    found = repository.read(
        "log", "-n", str(DEPTH), "--first-parent", "--format=%H%x00%P%x00%s",
        "HEAD", "--", PYPROJECT,
    )  # fmt: skip
    for line in lines(found):
        oid, parents, subject = line.split("\0")
        new = str(state.current)
        if not is_bump_subject(subject, new=new, settings=project.commitizen):
            continue
        if not parents or " " in parents:
            return None
        tip = state.there.tip
        published = tip is not None and repository.is_ancestor(oid, tip)
        return BumpCommit(oid, parents, published)
    return None


def orphan(repository: Repository, leftover: Leftover) -> str | None:
    """Find the tag of a release that is on the remote without its branch.

    A push that is not atomic loses the branch where the remote protects it. As long as
    nothing else has come to the branch, HEAD only has to follow.
    """
    state, there = leftover.state, leftover.state.there
    begun = leftover.journal or state.current_tag.local != state.current_tag.remote
    if there.behind or state.here.changed or begun:
        return None
    names = (ref.removeprefix(TAGS) for ref in there.refs)
    versions = (Version.from_tag(name) for name in names)
    later = [it.tag for it in versions if it and it > state.current]
    here = repository.objects([f"{TAGS}{tag}^{{commit}}" for tag in later])
    for tag, commit in zip(later, here.values(), strict=True):
        if commit is None or not repository.is_ancestor(state.here.head, commit.oid):
            continue
        own = project_at(repository, commit.oid).readable_version
        branches = {state.trunk, f"{HOTFIX_PREFIX}{tag}"}
        if state.here.branch in branches and own == Version.from_tag(tag):
            return tag
    return None


def make_tag(repository: Repository, project: Project, tag: str, commit: str) -> None:
    """Create the tag that `cz bump` would have created."""
    cz = project.commitizen
    kind = "-s" if cz.get("gpg_sign") else "-a"
    message = str(cz.get("annotated_tag_message") or tag)
    repository.run("tag", kind, tag, "-m", message, commit, check=True)


def undo(
    repository: Repository, journal: Journal, *, remote_tag: str | None = None
) -> list[str]:
    """Undo tag, commit and edits of a release that did not reach the remote.

    Any of them may be missing, and after a crash a second call finishes the first. A
    tag that is the remote's `remote_tag` stays. Returns a line for each thing done.
    """
    write_journal(repository.git_dir / RELEASE, journal)
    ref = f"{TAGS}{journal.tag}"
    found = repository.objects([ref, "HEAD", "HEAD^"])
    done = []
    tag, head, parent = found.values()
    if tag and tag.oid != remote_tag:
        repository.run("update-ref", "-d", ref, tag.oid, check=True)
        done.append(f"tag {journal.tag}: deleted here; it was never pushed")
    # Somebody may have committed in the meantime; that commit has another version.
    bumped = head_project(repository).version.tag == journal.tag
    if bumped and head and parent and parent.oid == journal.start:
        move = ("update-ref", "-m", f"trunkline: undo {journal.tag}", "HEAD")
        repository.run(*move, journal.start, head.oid, check=True)
        done.append(f"{journal.branch}: back at {journal.start[:12]}")
    # The working tree was clean when the release began, so HEAD is what it was.
    project = head_project(repository)
    done += set_aside(repository, bump_files(repository.root, project))
    clear_record(repository.git_dir / RELEASE)
    return done
