"""`trunkline release`: check, bump, and push branch and tag in one atomic push."""

import os
import sys
from dataclasses import replace

from trunkline.errors import FailedError, Refusal
from trunkline.git import Repository
from trunkline.images.mutable_tags import published_tags
from trunkline.images.tags import image_tags
from trunkline.locks import only_release
from trunkline.options import DRY_RUN, GITHUB_OUTPUT, YES, command
from trunkline.output import refuse, say, write_outputs
from trunkline.process import ProcessError
from trunkline.project import CHANGELOG, head_project
from trunkline.releases import commitizen
from trunkline.releases.changelog import find_section
from trunkline.releases.commitizen import Nothing, Preview
from trunkline.releases.delivery import Place, not_taken, push, take_back
from trunkline.releases.journal import Journal, clear_journal, write_journal
from trunkline.releases.plan import BumpCommit, Step, decide
from trunkline.releases.recovery import (
    Leftover,
    find_leftover,
    make_tag,
    remove_stale_locks,
)
from trunkline.releases.rules import refusals
from trunkline.releases.state import State
from trunkline.releases.survey import Coming, gather, read_status
from trunkline.releases.tagrules import tag_refusals
from trunkline.releases.tagsurvey import Branches, tag_facts


@command(DRY_RUN, YES, GITHUB_OUTPUT, passes_on=True)
def release(
    *, dry_run: bool, yes: bool, github_output: bool, others: tuple[str, ...]
) -> int:
    """Release the next version; `others` are options of `cz bump`.

    With `github_output` a workflow learns the tag at HEAD, also where an earlier run
    has made it and there is nothing else to release.
    """
    commitizen.check_options(others)
    repository = Repository.find()
    options = commitizen.spelt_out(others)
    code = release_from(repository, options, dry_run=dry_run, yes=yes)
    if github_output and not (code or dry_run):
        pattern = ("--exact-match", "--match=v[0-9]*")
        write_outputs({"tag": repository.run("describe", *pattern).text})
    return code


def release_from(
    repository: Repository, others: tuple[str, ...], *, dry_run: bool, yes: bool
) -> int:
    """End first what an earlier run has left, or release the next version."""
    settings = head_project(repository).settings
    with only_release(repository.common_dir) as lock:
        place = Place(repository, settings, lock)
        if not dry_run:
            remove_stale_locks(repository)
        leftover = find_leftover(repository, settings)
        require_remote(leftover.state)
        step = decide(leftover.state, leftover.journal, leftover.bump)
        if step is not Step.NOTHING and dry_run:
            print(f"{_leftover_tag(leftover)} is half-made; would: {step.value}")
            return 0
        if step not in {Step.NOTHING, Step.RESTORE}:
            return end_leftover(place, leftover, step)
        if leftover.journal and not dry_run:
            leftover = drop_journal(place, leftover, leftover.journal, step)
        return release_next(place, leftover, others, dry_run=dry_run, yes=yes)


def require_remote(state: State) -> None:
    """Raise Refusal where there is nowhere to push to."""
    if state.remote_missing:
        raise Refusal(
            rule="remote",
            found="a repository without a remote",
            expected=f"{state.remote}, which the release is pushed to",
            fix=f"git remote add {state.remote} URL && "
            f"git push -u {state.remote} {state.branch}",
        )


def drop_journal(
    place: Place, leftover: Leftover, journal: Journal, step: Step
) -> Leftover:
    """End the record of a release that made no commit; returns what is found then."""
    if step is Step.RESTORE:
        there = leftover.remote.refs.get(f"refs/tags/{journal.tag}")
        take_back(place, journal, remote_tag=there)
        return find_leftover(place.repository, place.settings)
    clear_journal(place.repository.git_dir)
    return replace(leftover, state=replace(leftover.state, interrupted=None))


def _leftover_tag(leftover: Leftover) -> str:
    if leftover.journal:
        return leftover.journal.tag
    return leftover.state.current_tag.name


def _record(state: State, bump: BumpCommit) -> Journal:
    """Return the record that a release with this commit began with."""
    return Journal(
        branch=state.branch or "",
        start=bump.parent,
        current=bump.previous,
        tag=state.current_tag.name,
        changelog=CHANGELOG,
    )


def end_leftover(place: Place, leftover: Leftover, step: Step) -> int:
    """Finish or undo the version that an earlier run has begun; begin no other."""
    state, tag = leftover.state, leftover.state.current_tag.name
    repository = place.repository
    if step is Step.DONE:
        clear_journal(repository.git_dir)
        print(f"{tag} was released already")
        return 0
    bump = leftover.bump
    if bump is None:
        raise FailedError(f"{tag} has no commit of `cz bump`")
    if step is Step.UNDO:
        take_back(place, _record(state, bump))
        raise not_taken(state, tag, raced=True)
    found = [refusal for refusal in refusals(state) if refusal.rule in BEFORE_PUSH]
    if found:
        return refuse(found)
    say(f"{tag} is half-made: {step.value}")
    if step is Step.TAG:
        make_tag(repository, leftover.project, tag, bump.oid)
    pushed = {f"refs/heads/{state.branch}": state.head}
    branches = Branches(repository, state.remote, pushed)
    oid = repository.read("rev-parse", f"refs/tags/{tag}")
    by_hand = list(tag_refusals(tag_facts(repository, tag, oid, branches=branches)))
    if by_hand:
        return refuse(by_hand)
    # With commits after the bump there is no way back to where it began.
    last = bump.oid == state.head
    record = _record(state, bump) if last else None
    # A bump that was made by hand is taken back only where it can never be pushed.
    ours = leftover.journal is not None
    return push(place, state, tag, commit=state.head, record=record, ours=ours)


# What must hold to push a version that is committed already.
BEFORE_PUSH = {"branch", "operation", "identity", "signing"}


def release_next(
    place: Place,
    leftover: Leftover,
    options: tuple[str, ...],
    *,
    dry_run: bool,
    yes: bool,
) -> int:
    """Check, bump and push the next version."""
    first = list(refusals(leftover.state))
    if first:
        return refuse(first)
    root = place.repository.root
    found = commitizen.preview(root, options, since=leftover.state.current_tag.name)
    if isinstance(found, Nothing):
        print(f"nothing to release: {found.reason}")
        return 0
    state = with_next(place, leftover, found)
    broken = list(refusals(state))
    if broken:
        return refuse(broken)
    show_plan(place, leftover, state, found)
    if dry_run:
        return 0
    if not yes and sys.stdin.isatty() and not confirmed(found.tag):
        print("nothing was changed")
        return 1
    return bump_and_push(place, state, found.tag, options)


def with_next(place: Place, leftover: Leftover, found: Preview) -> State:
    """Return the state with the next version in it."""
    section = find_section(found.section, found.tag)
    return gather(
        place.repository,
        place.settings,
        status=read_status(place.repository),
        written=leftover.state.written,
        changelog=CHANGELOG,
        coming=Coming(found.tag, section_empty=section is None or section.empty),
        remote=leftover.remote,
    )


def show_plan(place: Place, leftover: Leftover, state: State, found: Preview) -> None:
    """Print what is going to happen."""
    remote, branch = state.remote, state.branch
    local = place.repository.refs("refs/tags/v*")
    known = (ref.removeprefix("refs/tags/") for ref in (*local, *leftover.remote.refs))
    images = image_tags(
        f"refs/tags/{found.tag}",
        commit=state.head,
        image=place.settings.image,
        all_tags=known,
        published=published_tags(place.settings, os.environ),
    )
    print(f"release {found.tag} from {branch}, which is at {state.current}")
    print(f"  commit  bump: version {state.current} → {found.tag.removeprefix('v')}")
    print(f"  tag     {found.tag}, annotated")
    print(f"  push    {branch} and {found.tag} to {remote}, both or neither")
    # The first is named after a commit that does not exist yet.
    for tag in images.tags[1:]:
        print(f"  image   {images.image}:{tag.name}  ({tag.why})")
    print(f"\n{found.section}\n")


def confirmed(tag: str) -> bool:
    """Ask on the terminal."""
    return input(f"Release {tag}? [y/N] ").strip().lower() in {"y", "yes"}


def bump_and_push(
    place: Place, state: State, tag: str, options: tuple[str, ...]
) -> int:
    """Let commitizen make commit and tag, then push both; on failure undo all of it."""
    repository = place.repository
    journal = Journal(
        branch=state.branch or "",
        start=state.head,
        current=str(state.current),
        tag=tag,
        changelog=CHANGELOG,
    )
    write_journal(repository.git_dir, journal)
    try:
        done = commitizen.bump(repository.root, options, inherit=place.lock)
    except (ProcessError, KeyboardInterrupt):
        take_back(place, journal)
        raise
    problem = None if done.ok else done.complaint
    head = repository.read("rev-parse", "HEAD")
    problem = problem or not_a_release(repository, journal, head)
    if problem:
        take_back(place, journal)
        raise FailedError(f"`cz bump` made no release:\n{problem}")
    return push(place, state, tag, commit=head, record=journal, ours=True)


def not_a_release(repository: Repository, journal: Journal, head: str) -> str | None:
    """Say what is wrong with what commitizen has made; None if it is as it must be."""
    ref = f"refs/tags/{journal.tag}"
    commit = f"{ref}^{{commit}}"
    found = repository.objects([ref, commit, f"{head}^"])
    tag, tagged, parent = found[ref], found[commit], found[f"{head}^"]
    if parent is None or parent.oid != journal.start:
        return f"HEAD is {head[:12]}, expected one commit after {journal.start[:12]}"
    if tag is None or tagged is None or tagged.oid != head:
        return f"tag {journal.tag} is not at HEAD"
    if tag.kind != "tag":
        return f"tag {journal.tag} is not annotated; expected annotated_tag = true"
    return None
