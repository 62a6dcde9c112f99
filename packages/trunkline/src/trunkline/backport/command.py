"""`trunkline backport`: bring a released hotfix to the trunk."""

from trunkline.backport.resume import AGAIN, abort, make_all, resume
from trunkline.backport.rules import (
    RULES,
    BackportStep,
    Hotfix,
    Kind,
    plan_steps,
    refuse_hotfix,
    refuse_tag,
)
from trunkline.backport.survey import find_hotfix
from trunkline.errors import FailedError, UsageError
from trunkline.git import TAGS, Repository
from trunkline.locks import only_release
from trunkline.options import DRY_RUN, command, option, switch
from trunkline.output import refuse
from trunkline.project import head_project
from trunkline.releases.clone import LockedClone
from trunkline.releases.journal import BACKPORT, Journal, write_journal
from trunkline.releases.rules import refusals
from trunkline.releases.state import State, TagState
from trunkline.releases.survey import ask_remote, gather, read_status, tag_states
from trunkline.versions import Version


@command(
    option("tag", nargs="?", help="the hotfix's release tag", metavar="vX.Y.Z"),
    switch("--continue", "resume after resolving a conflict", dest="go_on"),
    switch("--abort", "undo an unfinished backport", dest="undo"),
    DRY_RUN,
)
def backport(*, tag: str | None, go_on: bool, undo: bool, dry_run: bool) -> int:
    """Bring the commits and the changelog section of a hotfix to the trunk.

    A conflict stops it; `go_on` or `undo` ends what an earlier run has begun, even one
    that was killed. Nothing is pushed.
    """
    if [tag is not None, go_on, undo].count(True) != 1:
        raise UsageError(
            f"expected one of: {AGAIN} vX.Y.Z, {AGAIN} --continue, {AGAIN} --abort"
        )
    repository = Repository.find()
    try:
        with only_release(repository.common_dir) as lock:
            settings = head_project(repository).settings
            clone = LockedClone(repository, settings, lock)
            if tag is not None:
                return start(clone, tag, dry_run=dry_run)
            end = abort if undo else resume
            return end(clone, dry_run=dry_run)
    except BrokenPipeError:
        raise
    except OSError as error:
        begun = (repository.git_dir / BACKPORT).exists()
        again = f"{AGAIN} --continue, or {AGAIN} --abort" if begun else f"{AGAIN} {tag}"
        raise FailedError(
            f"a file could not be written: {error}\n"
            f"  type next, when that is fixed: {again}"
        ) from error


def start(clone: LockedClone, tag: str, *, dry_run: bool) -> int:
    """Check, plan and make every commit that the trunk lacks."""
    repository = clone.repository
    state, released = look(clone, tag)
    found = list(refusals(state, RULES)) or list(refuse_tag(released, state.remote))
    if found:
        return refuse(found)
    hotfix = find_hotfix(repository, released)
    if found := list(refuse_hotfix(hotfix, trunk=state.trunk)):
        return refuse(found)
    steps = plan_steps(hotfix, trunk=state.current)
    if not steps:
        print(f"nothing to do: {state.here.branch} has all of {tag}")
    else:
        show_plan(state, hotfix, steps)
    if dry_run or not steps:
        return 0
    if steps[0].kind is Kind.FORWARD:
        return forward(clone, state, tag)
    begun = Journal(str(state.here.branch), state.here.head, tag)
    write_journal(repository.git_dir / BACKPORT, begun)
    return make_all(clone, begun, steps)


def look(clone: LockedClone, tag: str) -> tuple[State, TagState]:
    """Look at the trunk and the tag, with one question to the remote."""
    if Version.from_tag(tag) is None:
        raise UsageError(
            f"`{tag}` is not the tag of a version; expected one like v1.1.1"
        )
    repository = clone.repository
    status = read_status(repository)
    names = [head_project(repository).version.tag, tag]
    remote = ask_remote(repository, clone.settings, status, names)
    state = gather(repository, status, remote=remote)
    return state, tag_states(repository, [tag], remote, status.head)[0]


def show_plan(state: State, hotfix: Hotfix, steps: tuple[BackportStep, ...]) -> None:
    """Print what the trunk will get and what it has."""
    branch = state.here.branch
    print(f"backport {hotfix.tag.name} to {branch}, which is at {state.current}")
    for it in hotfix.commits:
        if it.here:
            print(f"  have       {it.commit[:12]}  {it.subject} ({it.here})")
    for step in steps:
        print(f"  {step}")


def forward(clone: LockedClone, state: State, tag: str) -> int:
    """Fast-forward a trunk that has no commits of its own to the release."""
    done = clone.git("merge", "-q", "--ff-only", f"{TAGS}{tag}")
    if not done.ok:
        raise FailedError(f"`git merge --ff-only {tag}` failed:\n{done.complaint}")
    print(f"{state.here.branch} is now at {tag}")
    print(f"  type next: git push {state.remote} HEAD")
    return 0
