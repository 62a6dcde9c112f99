"""Make, resume or abort a backport."""

import shlex

from trunkline.backport import commits
from trunkline.backport.commits import ConflictError
from trunkline.backport.rules import BackportStep, Hotfix, made_by, plan_steps
from trunkline.backport.survey import find_hotfix
from trunkline.commits.history import Commit, read_commits
from trunkline.errors import FailedError, Refusal
from trunkline.files import clear_record
from trunkline.git import Repository
from trunkline.locks import remove_stale_git_locks
from trunkline.output import say
from trunkline.project import head_project
from trunkline.releases.clone import LockedClone
from trunkline.releases.journal import BACKPORT, Journal, read_journal
from trunkline.releases.state import RemoteAnswer
from trunkline.releases.survey import read_status, tag_states
from trunkline.releases.working_tree import set_aside

AGAIN = "uv run trunkline backport"


def make_all(
    clone: LockedClone, begun: Journal, steps: tuple[BackportStep, ...]
) -> int:
    """Make the commits one at a time; the record stays if one cannot be made."""
    repository = clone.repository
    for number, step in enumerate(steps):
        try:
            commits.make(clone, begun.tag, step)
        except ConflictError as error:
            raise _conflict(repository, begun, steps[number:], error) from error
        except FailedError as error:
            raise FailedError(f"{error}\n{_ways_on()}") from error
    made = len(_since_start(repository, begun))
    clear_record(repository.git_dir / BACKPORT)
    print(
        f"{begun.branch} has all of {begun.tag} and is at "
        f"{head_project(repository).version}; {made} commits made\n"
        f"  type next: git push {clone.settings.remote} {begun.branch}"
    )
    return 0


def resume(clone: LockedClone, *, dry_run: bool) -> int:
    """Finish a backport that a conflict, a hook or a crash has stopped."""
    repository = clone.repository
    begun, hotfix = _in_progress(repository)
    steps = _missing(repository, hotfix)
    if dry_run:
        print(f"backport {begun.tag} would continue with:")
        for step in steps:
            print(f"  {step}")
        return 0
    picking = commits.picking(repository)
    if picking is None:
        _clean_up(repository, steps)
        return make_all(clone, begun, steps)
    if not steps or steps[0].commit != picking:
        raise Refusal(
            rule="operation",
            found=f"a cherry-pick of {picking[:12]}, which is not part of {begun.tag}",
            expected="that cherry-pick finished or aborted first",
            fix="git cherry-pick --continue",
        )
    try:
        commits.finish_pick(clone)
    except ConflictError as error:
        raise _conflict(repository, begun, steps, error) from error
    except FailedError as error:
        raise FailedError(f"{error}\n{_ways_on()}") from error
    return make_all(clone, begun, steps[1:])


def abort(clone: LockedClone, *, dry_run: bool) -> int:
    """Go back to where the backport began; raises Refusal if that would lose work."""
    repository = clone.repository
    begun, hotfix = _in_progress(repository)
    made = _since_start(repository, begun)
    others = [commit for commit in made if not made_by(hotfix, commit)]
    start = begun.start[:12]
    if others:
        raise Refusal(
            rule="other-commits",
            found=f"{len(others)} commits on {begun.branch} that the backport did not "
            f"make, such as {others[0].hash[:12]} {others[0].subject}",
            expected=f"only commits of the backport since {start}",
            fix=f"{AGAIN} --continue  (or move them: git log --oneline {start}..HEAD)",
        )
    if dry_run:
        print(f"{begun.branch} would go back to {start}, without:")
        for commit in made:
            print(f"  {commit.hash[:12]}  {commit.subject}")
        return 0
    if commits.picking(repository) is None:
        _clean_up(repository, _missing(repository, hotfix))
    # As `git cherry-pick --abort` does: edits of other files stay.
    done = clone.git("reset", "-q", "--merge", begun.start)
    if not done.ok:
        raise FailedError(
            f"`git reset --merge {start}` failed:\n{done.complaint}\n"
            f"  type next: git stash && {AGAIN} --abort  (or git add the files that it "
            "names)"
        )
    clear_record(repository.git_dir / BACKPORT)
    print(f"{begun.branch} is back at {start}, without {begun.tag}")
    return 0


def _in_progress(repository: Repository) -> tuple[Journal, Hotfix]:
    """Read the record, and look at its hotfix from HEAD as it is now."""
    begun = read_journal(repository.git_dir / BACKPORT)
    if begun is None:
        raise Refusal(
            rule="backport",
            found="no backport in progress",
            expected="one that a conflict or a crash has stopped",
            fix=f"{AGAIN} vX.Y.Z",
        )
    remove_stale_git_locks(repository)
    status = read_status(repository)
    if status.branch != begun.branch:
        raise Refusal(
            rule="branch",
            found=f"branch {status.branch or '(detached)'}",
            expected=f"branch {begun.branch}, to which {begun.tag} is backported",
            fix=f"git switch {begun.branch}",
        )
    if not repository.is_ancestor(begun.start, status.head):
        raise Refusal(
            rule="moved",
            found=f"{begun.branch} at {status.head[:12]}, which does not follow "
            "the commit where the backport began",
            expected=f"{begun.start[:12]} in its history",
            fix=f"git reset --keep {begun.start[:12]} && {AGAIN} --abort",
        )
    (tag,) = tag_states(repository, [begun.tag], RemoteAnswer(), status.head)
    if tag.commit is None:
        raise Refusal(
            rule="hotfix",
            found=f"no tag {begun.tag}",
            expected="the tag that is being backported",
            fix="git fetch --tags",
        )
    return begun, find_hotfix(repository, tag)


def _missing(repository: Repository, hotfix: Hotfix) -> tuple[BackportStep, ...]:
    return plan_steps(hotfix, trunk=head_project(repository).version)


def _since_start(repository: Repository, begun: Journal) -> list[Commit]:
    """List the commits since the backport began, oldest first."""
    return read_commits(repository, "HEAD", f"^{begun.start}")[::-1]


def _clean_up(repository: Repository, steps: tuple[BackportStep, ...]) -> None:
    """Restore the files that a killed step has left changed."""
    if steps:
        for line in set_aside(repository, commits.touched(repository, steps[0])):
            say(line)


def _conflict(
    repository: Repository,
    begun: Journal,
    steps: tuple[BackportStep, ...],
    error: ConflictError,
) -> FailedError:
    """Say where a backport stands that waits for a person."""
    done = _since_start(repository, begun)
    lines = [f"the backport of {begun.tag} stopped at a conflict"]
    lines += [f"  done:      {it.hash[:12]}  {it.subject}" for it in done]
    lines += [f"  conflict:  {steps[0]}", *(f"    {path}" for path in error.paths)]
    lines += [f"  remains:   {step}" for step in steps[1:]]
    lines += [
        "  type next, when the conflicts are resolved:",
        f"    {shlex.join(('git', 'add', '--', *error.paths))}",
        f"    {AGAIN} --continue",
        "  or, to go back to where it began:",
        f"    {AGAIN} --abort",
    ]
    return FailedError("\n".join(lines))


def _ways_on() -> str:
    return f"  type next: {AGAIN} --continue  (when that is fixed, or: {AGAIN} --abort)"
