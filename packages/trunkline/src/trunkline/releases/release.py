"""`trunkline release`: check, bump, and push branch and tag in one atomic push."""

import os
from dataclasses import replace
from typing import NamedTuple

from trunkline.errors import FailedError, Refusal, UsageError
from trunkline.files import clear_record
from trunkline.git import TAGS, Repository
from trunkline.images.mutable_tags import published_tags
from trunkline.images.scan import scan_commit
from trunkline.images.tags import image_tags
from trunkline.locks import only_release, remove_stale_git_locks
from trunkline.options import DRY_RUN, GITHUB_OUTPUT, YES, command, option, switch
from trunkline.output import confirm, refuse, say, write_outputs
from trunkline.process import ProcessError
from trunkline.project import head_project
from trunkline.releases import commitizen
from trunkline.releases.clone import LockedClone
from trunkline.releases.commitizen import NothingToRelease, Preview
from trunkline.releases.delivery import lost_race, push, take_back
from trunkline.releases.journal import RELEASE, Journal, write_journal
from trunkline.releases.member import current_tag, release_member
from trunkline.releases.plan import BumpCommit, Ending, decide
from trunkline.releases.recovery import Leftover, find_leftover, make_tag, orphan
from trunkline.releases.rules import refusals
from trunkline.releases.state import State
from trunkline.releases.survey import gather, read_status


class Mode(NamedTuple):
    """The switches of the command."""

    dry_run: bool
    yes: bool
    strict: bool


@command(
    option("--package", metavar="NAME", help="release a micropackage instead"),
    DRY_RUN,
    YES,
    switch("--strict", "refuse a commit whose image cannot be scanned, as in CI"),
    GITHUB_OUTPUT,
    passes_on=commitizen.PASSED_ON,
)
def release(
    *,
    package: str | None,
    dry_run: bool,
    yes: bool,
    strict: bool,
    github_output: bool,
    others: tuple[str, ...],
) -> int:
    """Release the next version; `others` are options of `cz bump`.

    With `github_output` a workflow gets the tag at HEAD, even if an earlier run has
    made it and there is nothing else to release; a micropackage's as `member`, which
    gets no image.
    """
    commitizen.check_options(others)
    repository = Repository.find()
    options = commitizen.without_defaults(others)
    mode = Mode(dry_run, yes, strict)
    if package:
        code = release_package(repository, package, options, mode)
        if github_output and not (code or dry_run):
            write_outputs({"member": current_tag(repository.root, package)})
        return code
    code = release_from(repository, options, mode)
    if github_output and not (code or dry_run):
        pattern = ("--exact-match", "--match=v[0-9]*")
        write_outputs({"tag": repository.run("describe", *pattern).text})
    return code


def release_package(
    repository: Repository, name: str, options: tuple[str, ...], mode: Mode
) -> int:
    """Release a micropackage; of the options, its increment can be given."""
    match options:
        case ():
            level = None
        case ("--increment", "MAJOR" | "MINOR" | "PATCH" as level):
            pass
        case _:
            raise UsageError(f"--package takes only --increment, not {options}")
    settings = head_project(repository).settings
    with only_release(repository.common_dir) as lock:
        clone = LockedClone(repository, settings, lock)
        return release_member(clone, name, level, dry_run=mode.dry_run, yes=mode.yes)


def release_from(repository: Repository, others: tuple[str, ...], mode: Mode) -> int:
    """Finish what an earlier run left half-made, or release the next version."""
    settings = head_project(repository).settings
    with only_release(repository.common_dir) as lock:
        clone, dry_run = LockedClone(repository, settings, lock), mode.dry_run
        if not dry_run and (repository.git_dir / RELEASE).exists():
            remove_stale_git_locks(repository)
        leftover = find_leftover(repository)
        require_remote(leftover.state)
        lost = orphan(repository, leftover)
        if lost and dry_run:
            print(f"{lost} is half-made; would: {Ending.PUSH.value}")
            return 0
        if lost:
            clone.git("merge", "--ff-only", f"{TAGS}{lost}").required()
            leftover = find_leftover(repository)
        ending = decide(leftover.state, leftover.journal, leftover.bump)
        if ending is not Ending.NOTHING and dry_run:
            print(f"{leftover.tag} is half-made; would: {ending.value}")
            return 0
        if ending not in {Ending.NOTHING, Ending.RESTORE}:
            return end_leftover(clone, leftover, ending)
        if leftover.journal and not dry_run:
            leftover = drop_journal(clone, leftover, leftover.journal, ending)
        return release_next(clone, leftover, others, mode)


def require_remote(state: State) -> None:
    """Raise Refusal if there is no remote to push to."""
    if state.there.missing:
        raise Refusal(
            rule="remote",
            found="a repository without a remote",
            expected=f"a remote named {state.remote} to push the release to",
            fix=f"git remote add {state.remote} URL && "
            f"git push -u {state.remote} {state.here.branch}",
        )


def drop_journal(
    clone: LockedClone, leftover: Leftover, journal: Journal, ending: Ending
) -> Leftover:
    """Remove the record of a release that made no commit; returns the new state."""
    if ending is Ending.RESTORE:
        there = leftover.state.there.refs.get(f"{TAGS}{journal.tag}")
        take_back(clone, journal, remote_tag=there)
        return find_leftover(clone.repository)
    clear_record(clone.repository.git_dir / RELEASE)
    return replace(leftover, state=replace(leftover.state, interrupted=None))


def _record(state: State, bump: BumpCommit) -> Journal:
    return Journal(str(state.here.branch), bump.parent, state.current_tag.name)


def end_leftover(clone: LockedClone, leftover: Leftover, ending: Ending) -> int:
    """Finish or undo the version that an earlier run began; begin no other."""
    state, tag = leftover.state, leftover.state.current_tag.name
    repository = clone.repository
    if ending is Ending.DONE:
        clear_record(repository.git_dir / RELEASE)
        print(f"{tag} is already released")
        return 0
    bump = leftover.bump
    if bump is None:
        raise FailedError(f"{tag} has no commit of `cz bump`")
    if ending is Ending.UNDO:
        take_back(clone, _record(state, bump))
        raise lost_race(state, tag)
    found = [refusal for refusal in refusals(state) if refusal.rule in BEFORE_PUSH]
    if found:
        return refuse(found)
    say(f"{tag} is half-made: {ending.value}")
    if ending is Ending.TAG:
        make_tag(repository, leftover.project, tag, bump.oid)
    # With commits after the bump it cannot be undone.
    last = bump.oid == state.here.head
    record = _record(state, bump) if last else None
    # A bump made by hand is undone only if it can never be pushed.
    ours = leftover.journal is not None
    return push(clone, state, tag, commit=state.here.head, record=record, ours=ours)


AGAIN = "\n  type next: uv run trunkline release"
# The rules for pushing a version that is already committed.
BEFORE_PUSH = {"branch", "operation", "identity", "signing"}


def release_next(
    clone: LockedClone, leftover: Leftover, options: tuple[str, ...], mode: Mode
) -> int:
    """Check, bump and push the next version."""
    first = list(refusals(leftover.state))
    if first:
        return refuse(first)
    root = clone.repository.root
    found = commitizen.preview(root, options, since=leftover.state.current_tag.name)
    if isinstance(found, NothingToRelease):
        print(f"nothing to release: {found.reason}")
        return 0
    state = gather(
        clone.repository,
        read_status(clone.repository),
        coming=(found.tag, found.section),
        remote=leftover.state.there,
    )
    broken = list(refusals(state))
    if broken:
        return refuse(broken)
    show_plan(clone, leftover, state, found)
    scan_commit(clone.settings, os.environ, state.here.head, strict=mode.strict)
    if mode.dry_run:
        return 0
    confirm(f"Release {found.tag}?", yes=mode.yes)
    return bump_and_push(clone, state, found.tag, options)


def show_plan(
    clone: LockedClone, leftover: Leftover, state: State, found: Preview
) -> None:
    """Print what is about to happen."""
    remote, branch = state.remote, state.here.branch
    local = clone.repository.refs(f"{TAGS}v*")
    known = (ref.removeprefix(TAGS) for ref in (*local, *leftover.state.there.refs))
    images = image_tags(
        f"{TAGS}{found.tag}",
        commit=state.here.head,
        image=clone.settings.image,
        all_tags=known,
        published=published_tags(clone.settings, os.environ),
    )
    print(f"release {found.tag} from {branch}, which is at {state.current}")
    print(f"  commit  bump: version {state.current} → {found.tag.removeprefix('v')}")
    print(f"  tag     {found.tag}, annotated")
    print(f"  push    {branch} and {found.tag} to {remote}, both or neither")
    # The first tag is named after a commit that does not exist yet.
    for tag in images.tags[1:]:
        print(f"  image   {images.image}:{tag.name}  ({tag.why})")
    print(f"\n{found.section}\n")


def bump_and_push(
    clone: LockedClone, state: State, tag: str, options: tuple[str, ...]
) -> int:
    """Let commitizen make commit and tag, then push both; undo all of it on failure."""
    repository = clone.repository
    journal = Journal(str(state.here.branch), state.here.head, tag)
    write_journal(repository.git_dir / RELEASE, journal)
    try:
        done = commitizen.bump(repository.root, options, inherit=clone.lock)
    except (ProcessError, KeyboardInterrupt):
        take_back(clone, journal)
        raise
    problem = None if done.ok else commitizen.complaint(done)
    head = repository.read("rev-parse", "HEAD")
    problem = problem or not_a_release(repository, journal, head)
    if problem:
        take_back(clone, journal)
        # If git itself cannot commit, it says "fatal".
        hook = done.code == commitizen.NOT_COMMITTED and "fatal: " not in problem
        again = f"{AGAIN} --no-verify" if hook else f"{AGAIN}  (once that is fixed)"
        raise FailedError(f"`cz bump` made no release:\n{problem}{again}")
    return push(clone, state, tag, commit=head, record=journal, ours=True)


def not_a_release(repository: Repository, journal: Journal, head: str) -> str | None:
    """Say what is wrong with what commitizen has made; None if nothing is."""
    ref = f"{TAGS}{journal.tag}"
    commit = f"{ref}^{{commit}}"
    found = repository.objects([ref, commit, f"{head}^"])
    tag, tagged, parent = found[ref], found[commit], found[f"{head}^"]
    if parent is None or parent.oid != journal.start:
        return f"HEAD is {head[:12]}, expected one commit after {journal.start[:12]}"
    if tag is None or tagged is None or tagged.oid != head:
        return f"tag {journal.tag} is not at HEAD"
    return None
