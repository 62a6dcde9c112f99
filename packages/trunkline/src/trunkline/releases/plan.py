"""Decide what to do about a release that an earlier run left half-made. Pure."""

from dataclasses import dataclass
from enum import Enum

from trunkline.errors import Refusal
from trunkline.releases.journal import Journal
from trunkline.releases.state import State


class Ending(Enum):
    """How to finish or undo it."""

    NOTHING = "nothing is left to do"
    DONE = "it was pushed; remove its record"
    RESTORE = "restore the files that `cz bump` edited"
    TAG = "create the missing tag, then push branch and tag"
    PUSH = "push branch and tag"
    UNDO = "remove commit and tag, which were never pushed"


@dataclass(frozen=True, slots=True)
class BumpCommit:
    """The commit that set the version of HEAD."""

    oid: str
    parent: str
    # Whether the branch on the remote contains it.
    published: bool


def decide(state: State, journal: Journal | None, bump: BumpCommit | None) -> Ending:
    """Choose how to end it; raises Refusal if a person has to decide."""
    if journal and journal.branch != state.here.branch:
        raise Refusal(
            rule="interrupted",
            found=f"release {journal.tag}, which stopped halfway on {journal.branch}",
            expected=f"branch {journal.branch}, to finish or undo it",
            fix=f"git switch {journal.branch} && uv run trunkline release",
        )
    if journal and journal.start == state.here.head:
        return Ending.RESTORE
    if state.there.problem or state.shallow:
        return Ending.NOTHING  # The rules refuse.
    tag = state.current_tag
    if tag.local and tag.local == tag.remote:
        return _both_have_the_tag(state, journal, bump)
    if bump is None or not (tag.local or state.recorded):
        return Ending.NOTHING
    return _unpushed(state, bump)


def _unpushed(state: State, bump: BumpCommit) -> Ending:
    tag = state.current_tag
    lost = bool(tag.remote or state.there.behind or (tag.local and not tag.reached))
    if not lost:
        return Ending.PUSH if tag.local else Ending.TAG
    return Ending.NOTHING if bump.published else _undo(state, bump)


def _both_have_the_tag(
    state: State, journal: Journal | None, bump: BumpCommit | None
) -> Ending:
    # The bump of a backported hotfix is a copy; the tag is at the hotfix's own.
    own = bump is not None and bump.oid == state.current_tag.commit
    if bump and own and not bump.published and not state.there.behind:
        return Ending.PUSH  # Someone has pushed the tag without its branch.
    finished = journal is not None and journal.tag == state.current_tag.name
    return Ending.DONE if finished else Ending.NOTHING


def _undo(state: State, bump: BumpCommit) -> Ending:
    if bump.oid == state.here.head:
        return Ending.UNDO
    tag = state.current_tag
    drop_tag = f"git tag -d {tag.name} && " if tag.local else ""
    raise Refusal(
        rule="half-made",
        found=f"{tag.name} was never pushed, {state.remote} has moved on, "
        f"and commits follow the bump {bump.oid[:12]}",
        expected="those commits without the bump between them",
        fix=f"{drop_tag}git rebase --onto {bump.parent[:12]} {bump.oid[:12]}",
    )
