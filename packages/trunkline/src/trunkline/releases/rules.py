"""The rules of a release. Pure: a frozen state in, refusals out."""

from collections.abc import Callable, Iterator

from trunkline.errors import Refusal
from trunkline.project import HOTFIX_PREFIX
from trunkline.releases.state import State
from trunkline.releases.version_rules import (
    greater_version,
    hotfix_named_after_version,
    major_zero,
    new_tag,
    something_to_tell,
    well_formed_tag,
)

Rule = Callable[[State], Refusal | None]


def refusals(state: State) -> Iterator[Refusal]:
    """Name every rule that the state breaks, in the order to fix them."""
    for rule in RULES:
        refusal = rule(state)
        if refusal is not None:
            yield refusal


def on_a_branch(state: State) -> Refusal | None:
    if state.branch is not None:
        return None
    return Refusal(
        rule="branch",
        found=f"HEAD is detached at {state.head[:12]}",
        expected=f"branch {state.trunk} or {HOTFIX_PREFIX}vX.Y.Z",
        fix=f"git switch {state.trunk}",
    )


def release_branch(state: State) -> Refusal | None:
    if state.branch is None or state.branch == state.trunk or state.hotfix:
        return None
    return Refusal(
        rule="branch",
        found=f"branch {state.branch}",
        expected=f"branch {state.trunk} or {HOTFIX_PREFIX}vX.Y.Z",
        fix=f"git switch {state.trunk}",
    )


def on_trunk(state: State) -> Refusal | None:
    if state.branch == state.trunk:
        return None
    return Refusal(
        rule="branch",
        found=f"branch {state.branch or '(detached)'}",
        expected=f"the trunk, branch {state.trunk}",
        fix=f"git switch {state.trunk}",
    )


def whole_history(state: State) -> Refusal | None:
    if not state.shallow:
        return None
    return Refusal(
        rule="shallow",
        found="a shallow clone, which lacks commits and tags",
        expected="the whole history",
        fix=f"git fetch --unshallow --tags {state.remote}",
    )


# How to leave each operation that git can be in the middle of.
ENDINGS = {
    "merge": "git merge --abort",
    "rebase": "git rebase --abort",
    "cherry-pick": "git cherry-pick --abort",
    "revert": "git revert --abort",
    "bisect": "git bisect reset",
    "am": "git am --abort",
    "backport": "uv run trunkline backport --continue",
}


def nothing_under_way(state: State) -> Refusal | None:
    if state.operation is None:
        return None
    return Refusal(
        rule="operation",
        found=f"a {state.operation} that is not finished",
        expected="nothing under way",
        fix=ENDINGS[state.operation],
    )


def none_interrupted(state: State) -> Refusal | None:
    if state.interrupted is None:
        return None
    return Refusal(
        rule="interrupted",
        found=f"a release of {state.interrupted} that stopped half-way",
        expected="it finished or undone",
        fix="uv run trunkline release",
    )


def finished_bump(state: State) -> Refusal | None:
    if state.written == state.current:
        return None
    return Refusal(
        rule="leftover",
        found=f"pyproject.toml says {state.written}, its commit {state.current}",
        expected="the committed version; an earlier bump may have stopped half-way",
        fix="git restore --staged --worktree pyproject.toml uv.lock CHANGELOG.md",
    )


SHOWN = 5


def clean_tree(state: State) -> Refusal | None:
    if not state.changed:
        return None
    more = len(state.changed) - SHOWN
    shown = ", ".join(state.changed[:SHOWN]) + (f" and {more} more" if more > 0 else "")
    return Refusal(
        rule="clean",
        found=f"uncommitted: {shown}",
        expected="nothing uncommitted, new files included",
        fix="git stash --include-untracked",
    )


def known_author(state: State) -> Refusal | None:
    if state.identity_problem is None:
        return None
    return Refusal(
        rule="identity",
        found=state.identity_problem,
        expected="a name and an address for the commit and the tag",
        fix="git config user.name NAME && git config user.email ADDRESS",
    )


def signing_works(state: State) -> Refusal | None:
    if state.signing_problem is None:
        return None
    return Refusal(
        rule="signing",
        found=f"a test signature failed: {state.signing_problem}",
        expected="git to sign, as it is configured to",
        fix="git config --get-regexp 'gpg|sign' and fix the key that it names",
    )


def remote_answers(state: State) -> Refusal | None:
    if state.remote_problem is None:
        return None
    return Refusal(
        rule="remote",
        found=f"{state.remote} did not answer: {state.remote_problem}",
        expected="its branches and tags, to compare with",
        fix=f"git ls-remote {state.remote}",
    )


def same_tag_everywhere(state: State) -> Refusal | None:
    tag = state.current_tag
    if not tag.remote or tag.local == tag.remote:
        return None
    name = tag.name
    if tag.local is None:
        found, fix = f"{name} is on {state.remote} only", "git fetch --tags"
    else:
        found = f"{name} is {tag.local[:12]} here and {tag.remote[:12]} there"
        fix = f"git fetch {state.remote} +refs/tags/{name}:refs/tags/{name}"
    return Refusal(
        rule="current-tag",
        found=found,
        expected=f"the same {name} here and on {state.remote}",
        fix=fix,
    )


def no_half_made_release(state: State) -> Refusal | None:
    tag = state.current_tag
    if tag.local or tag.remote:
        return None
    if not state.recorded and not state.any_version_tag:
        return None  # Nothing has ever been released.
    if not state.recorded:
        return Refusal(
            rule="current-tag",
            found=f"version {state.current}, which was never released",
            expected=f"tag {tag.name}; versions are written by `cz bump` only",
            fix=f"git log -p -S'{state.current}' -- pyproject.toml",
        )
    return Refusal(
        rule="half-made",
        found=f"version {state.current} is committed and has no tag",
        expected=f"tag {tag.name}, or the next changelog starts in the wrong place",
        fix="uv run trunkline release",
    )


def tag_on_this_branch(state: State) -> Refusal | None:
    tag = state.current_tag
    if tag.local is None or tag.reached:
        return None
    return Refusal(
        rule="current-tag",
        found=f"{tag.name} is at {str(tag.commit)[:12]}, which HEAD does not contain",
        expected=f"{tag.name} in the history of {state.branch}",
        fix="uv run trunkline release"
        if tag.remote is None
        else f"git log --oneline --graph HEAD {tag.name}",
    )


def up_to_date(state: State) -> Refusal | None:
    if state.behind == 0:
        return None
    branch = f"{state.remote}/{state.branch}"
    unpushed = state.current_tag.local and not state.current_tag.remote
    return Refusal(
        rule="behind",
        found=f"{state.behind} commits of {branch} are not here"
        + (f", and {state.ahead} here are not there" if state.ahead else ""),
        expected=f"everything of {branch}",
        # A rebase would leave the tag of a release that lost on its old commit.
        fix="uv run trunkline release"
        if unpushed and state.ahead
        else f"git pull --rebase {state.remote} {state.branch}",
    )


RULES: tuple[Rule, ...] = (
    on_a_branch,
    release_branch,
    whole_history,
    nothing_under_way,
    none_interrupted,
    finished_bump,
    clean_tree,
    known_author,
    signing_works,
    remote_answers,
    same_tag_everywhere,
    no_half_made_release,
    up_to_date,
    tag_on_this_branch,
    major_zero,
    well_formed_tag,
    greater_version,
    hotfix_named_after_version,
    new_tag,
    something_to_tell,
)

# What must hold on the trunk before a hotfix's commits are brought there.
BACKPORT_RULES: tuple[Rule, ...] = (
    on_trunk,
    whole_history,
    nothing_under_way,
    none_interrupted,
    clean_tree,
    known_author,
    signing_works,
    remote_answers,
    same_tag_everywhere,
    no_half_made_release,
    up_to_date,
)
