"""Make what remains of a backport, or take back what is made of it."""

import shlex

from trunkline.errors import FailedError, Refusal
from trunkline.git import Repository
from trunkline.locks import remove_stale_git_locks
from trunkline.output import say
from trunkline.project import head_project
from trunkline.releases import backportrecord, picks
from trunkline.releases.backportrecord import Record
from trunkline.releases.hotfix import Progress, progress
from trunkline.releases.hotfixsurvey import commits
from trunkline.releases.picks import ConflictError, Place
from trunkline.releases.survey import read_status

AGAIN = "uv run trunkline backport"


def make_all(place: Place, record: Record, now: Progress) -> int:
    """Make the remaining commits, one at a time, and end the backport.

    Raises FailedError where one cannot be made; the record stays then.
    """
    repository = place.repository
    for number, step in enumerate(now.remaining):
        try:
            picks.make(place, record.tag, step)
        except ConflictError as error:
            raise _stopped(record, number + len(now.done), error) from error
        except FailedError as error:
            raise FailedError(f"{error}\n{_ways_on()}") from error
    backportrecord.end(repository.git_dir)
    project = head_project(repository)
    print(
        f"{record.branch} has all of {record.tag} and is at {project.version}; "
        f"{len(record.steps)} commits made\n"
        f"  type next: git push {project.settings.remote} {record.branch}"
    )
    return 0


def go_on(place: Place, *, dry_run: bool) -> int:
    """Finish a backport that a conflict, a hook or a crash has stopped."""
    repository = place.repository
    record, now = _under_way(repository)
    if dry_run:
        print(f"backport {record.tag} would go on with:")
        for step in now.remaining:
            print(f"  {step}")
        return 0
    picking = picks.picking(repository)
    if picking is not None:
        _finish(place, record, now, picking)
        record, now = _under_way(repository)
    elif now.remaining:
        saved = picks.clear_traces(repository, now.remaining[0])
        if saved:
            say(f"{now.remaining[0]}: begun anew; what was changed is in {saved}")
    return make_all(place, record, now)


def _finish(place: Place, record: Record, now: Progress, picking: str) -> None:
    """Commit the cherry-pick that git is in the middle of."""
    if not now.remaining or now.remaining[0].commit != picking:
        raise Refusal(
            rule="operation",
            found=f"a cherry-pick of {picking[:12]}, which is no part of {record.tag}",
            expected="it finished or given up first",
            fix="git cherry-pick --continue",
        )
    try:
        picks.finish_pick(place)
    except ConflictError as error:
        raise _stopped(record, len(now.done), error) from error
    except FailedError as error:
        raise FailedError(f"{error}\n{_ways_on()}") from error


def abort(place: Place, *, dry_run: bool) -> int:
    """Go back to where the backport began; raises Refusal if that would lose work."""
    repository = place.repository
    record, now = _under_way(repository)
    if now.foreign:
        raise Refusal(
            rule="other-commits",
            found=f"{len(now.foreign)} commits on {record.branch} that are no part of "
            f"the backport, such as {now.foreign[0].oid[:12]} {now.foreign[0].subject}",
            expected=f"nothing else since {record.start[:12]}",
            fix=f"{AGAIN} --continue, or move them: "
            f"git log --oneline {record.start[:12]}..HEAD",
        )
    if dry_run:
        print(f"{record.branch} would go back to {record.start[:12]}, without:")
        for commit in now.done:
            print(f"  {commit.oid[:12]}  {commit.subject}")
        return 0
    if picks.picking(repository) is None and now.remaining:
        saved = picks.clear_traces(repository, now.remaining[0])
        if saved:
            say(f"what was changed and not committed is in {saved}")
    # As `git cherry-pick --abort` does: edits of other files stay.
    done = place.run("reset", "-q", "--merge", record.start)
    if not done.ok:
        raise FailedError(
            f"`git reset --merge {record.start[:12]}` failed:\n{done.complaint}\n"
            "  type next: git stash, or git add the files that it names, then "
            f"{AGAIN} --abort"
        )
    backportrecord.end(repository.git_dir)
    print(f"{record.branch} is at {record.start[:12]} again, without {record.tag}")
    return 0


def _under_way(repository: Repository) -> tuple[Record, Progress]:
    """Read the record and compare it with the history since it was written."""
    record = backportrecord.read(repository.git_dir)
    if record is None:
        raise Refusal(
            rule="backport",
            found="no backport under way",
            expected="one that a conflict or a crash has stopped",
            fix=f"{AGAIN} vX.Y.Z",
        )
    locks = [repository.git_dir / name for name in ("index.lock", "HEAD.lock")]
    locks.append(repository.common_dir / f"refs/heads/{record.branch}.lock")
    remove_stale_git_locks(locks, repository.root)
    status = read_status(repository)
    if status.branch != record.branch:
        raise Refusal(
            rule="branch",
            found=f"branch {status.branch or '(detached)'}",
            expected=f"branch {record.branch}, where {record.tag} is backported",
            fix=f"git switch {record.branch}",
        )
    if not repository.is_ancestor(record.start, status.head):
        raise Refusal(
            rule="moved",
            found=f"{record.branch} at {status.head[:12]}, away from where it began",
            expected=f"{record.start[:12]} in its history",
            fix=f"git reset --keep {record.start[:12]} && {AGAIN} --abort",
        )
    since = commits(repository, "HEAD", f"^{record.start}")
    return record, progress(record.steps, since)


def _stopped(record: Record, done: int, error: ConflictError) -> FailedError:
    """Say where a backport stands that waits for a person."""
    step, left = record.steps[done], record.steps[done + 1 :]
    lines = [f"the backport of {record.tag} waits for you"]
    lines += [f"  done:      {before}" for before in record.steps[:done]]
    lines += [f"  conflict:  {step}", *(f"    {path}" for path in error.paths)]
    lines += [f"  remains:   {after}" for after in left]
    lines += [
        "  type next, when the conflicts are resolved:",
        f"    {shlex.join(('git', 'add', '--', *error.paths))}",
        f"    {AGAIN} --continue",
        "  or, to go back to where it began:",
        f"    {AGAIN} --abort",
    ]
    return FailedError("\n".join(lines))


def _ways_on() -> str:
    return f"  type next: {AGAIN} --continue when that is fixed, or {AGAIN} --abort"
