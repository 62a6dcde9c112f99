"""The rules about the repository and the releases that it has already had. Pure."""

from trunkline.errors import Refusal
from trunkline.project import HOTFIX_PREFIX
from trunkline.releases.state import State


def on_a_branch(state: State) -> Refusal | None:
    if state.here.branch is not None:
        return None
    return Refusal(
        rule="branch",
        found=f"HEAD is detached at {state.here.head[:12]}",
        expected=f"branch {state.trunk} or {HOTFIX_PREFIX}vX.Y.Z",
        fix=f"git switch {state.trunk}",
    )


def release_branch(state: State) -> Refusal | None:
    if state.here.branch is None or state.here.branch == state.trunk or state.hotfix:
        return None
    return Refusal(
        rule="branch",
        found=f"branch {state.here.branch}",
        expected=f"branch {state.trunk} or {HOTFIX_PREFIX}vX.Y.Z",
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


# How to leave each operation that may be in progress.
ENDINGS = {
    "merge": "git merge --abort",
    "rebase": "git rebase --abort",
    "cherry-pick": "git cherry-pick --abort",
    "revert": "git revert --abort",
    "bisect": "git bisect reset",
    "am": "git am --abort",
    "backport": "uv run trunkline backport --continue",
}


def no_operation(state: State) -> Refusal | None:
    if state.operation is None:
        return None
    return Refusal(
        rule="operation",
        found=f"a {state.operation} that is not finished",
        expected="no operation in progress",
        fix=ENDINGS[state.operation],
    )


def none_interrupted(state: State) -> Refusal | None:
    if state.interrupted is None:
        return None
    return Refusal(
        rule="interrupted",
        found=f"a release of {state.interrupted} that stopped halfway",
        expected="that release finished or undone first",
        fix="uv run trunkline release",
    )


def finished_bump(state: State) -> Refusal | None:
    if state.written == state.current:
        return None
    return Refusal(
        rule="leftover",
        found=f"pyproject.toml says {state.written}, its commit {state.current}",
        expected="the committed version; an earlier bump may have stopped halfway",
        fix="git stash --include-untracked",
    )


SHOWN = 5


def clean_tree(state: State) -> Refusal | None:
    if not state.here.changed:
        return None
    more = len(state.here.changed) - SHOWN
    shown = ", ".join(state.here.changed[:SHOWN]) + (
        f" and {more} more" if more > 0 else ""
    )
    return Refusal(
        rule="clean",
        found=f"uncommitted: {shown}",
        expected="a clean working tree, without new files",
        fix="git stash --include-untracked",
    )


def known_author(state: State) -> Refusal | None:
    if state.identity_problem is None:
        return None
    return Refusal(
        rule="identity",
        found=state.identity_problem,
        expected="a name and an email address for the commit and the tag",
        fix="git config user.name NAME && git config user.email ADDRESS",
    )


def signing_works(state: State) -> Refusal | None:
    if state.signing_problem is None:
        return None
    return Refusal(
        rule="signing",
        found=f"a test signature failed: {state.signing_problem}",
        expected="a working signature, because git is configured to sign",
        fix="git config --get-regexp 'gpg|sign' and fix the key that it names",
    )


def right_remote(state: State) -> Refusal | None:
    remote, others = state.remote, state.there.others
    if others:
        return Refusal(
            rule="remote",
            found=f"no remote named {remote}, only {', '.join(others)}",
            expected=f'{remote}, or [tool.trunkline] remote = "{others[0]}"',
            fix=f"git remote rename {others[0]} {remote}",
        )
    if state.tracked in {None, ".", remote}:
        return None
    branch = state.here.branch
    return Refusal(
        rule="remote",
        found=f"{branch} tracks {state.tracked}; a release would go to {remote}",
        expected=f'[tool.trunkline] remote = "{state.tracked}", or to track {remote}',
        fix=f"git config branch.{branch}.remote {remote}",
    )


def remote_answers(state: State) -> Refusal | None:
    if state.there.problem is None or state.there.others:
        return None
    return Refusal(
        rule="remote",
        found=f"{state.remote} did not answer: {state.there.problem}",
        expected="its branches and tags, to compare them with those here",
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
        expected=f"tag {tag.name}, where the next changelog starts",
        fix="uv run trunkline release",
    )


def tag_on_this_branch(state: State) -> Refusal | None:
    tag = state.current_tag
    if tag.local is None or tag.reached:
        return None
    return Refusal(
        rule="current-tag",
        found=f"{tag.name} is at {str(tag.commit)[:12]}, which HEAD does not contain",
        expected=f"{tag.name} in the history of {state.here.branch}",
        fix="uv run trunkline release"
        if tag.remote is None
        else f"git log --oneline --graph HEAD {tag.name}",
    )


def up_to_date(state: State) -> Refusal | None:
    if state.there.behind == 0:
        return None
    branch = f"{state.remote}/{state.here.branch}"
    unpushed = state.current_tag.local and not state.current_tag.remote
    return Refusal(
        rule="behind",
        found=f"{state.there.behind} commits of {branch} are missing here"
        + (f", and {state.there.ahead} of here there" if state.there.ahead else ""),
        expected=f"every commit of {branch}",
        # A rebase would leave the tag of a release that lost a race on its old commit.
        fix="uv run trunkline release"
        if unpushed and state.there.ahead
        else f"git pull --rebase {state.remote} {state.here.branch} --tags",
    )
