"""The rules about the repository and the releases that it has already had. Pure."""

import shlex
from collections.abc import Iterator

from trunkline.commits.conventional import shown
from trunkline.errors import Refusal
from trunkline.project import HOTFIX_PREFIX
from trunkline.releases.state import SUBMODULE, State, TagState

SHOWN = 5
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


def release_branch(state: State) -> Iterator[Refusal]:
    branch = state.here.branch
    if branch != state.trunk and not state.hotfix:
        detached = f"HEAD is detached at {state.here.head[:12]}"
        yield Refusal(
            rule="branch",
            found=detached if branch is None else f"branch {branch}",
            expected=f"branch {state.trunk} or {HOTFIX_PREFIX}vX.Y.Z",
            fix=f"git switch {state.trunk}",
        )


def usable_clone(state: State) -> Iterator[Refusal]:
    if state.shallow:
        yield Refusal(
            rule="shallow",
            found="a shallow clone, which lacks commits and tags",
            expected="the whole history",
            fix=f"git fetch --unshallow --tags {state.remote}",
        )
    if state.operation:
        yield Refusal(
            rule="operation",
            found=f"a {state.operation} that is not finished",
            expected="no operation in progress",
            fix=ENDINGS[state.operation],
        )
    if state.lock:
        yield Refusal(
            rule="operation",
            found=f"a git command that runs, or was killed: {state.lock}",
            expected="no lock file of git",
            fix=f"rm {shlex.quote(state.lock)}  (if no git runs)",
        )
    if state.interrupted:
        yield Refusal(
            rule="interrupted",
            found=f"a release of {state.interrupted} that stopped halfway",
            expected="that release finished or undone first",
            fix="uv run trunkline release",
        )


def finished_bump(state: State) -> Iterator[Refusal]:
    if state.written != state.current:
        yield Refusal(
            rule="leftover",
            found=f"pyproject.toml says {state.written}, its commit {state.current}",
            expected="the committed version; an earlier bump may have stopped halfway",
            fix="git stash --include-untracked",
        )


def able_to_commit(state: State) -> Iterator[Refusal]:
    changed = state.here.changed
    if changed:
        moved = all(name.endswith(SUBMODULE) for name in changed)
        more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        yield Refusal(
            rule="clean",
            found=f"uncommitted: {', '.join(map(shown, changed[:SHOWN]))}{more}",
            expected="a clean working tree, without new files",
            # A stash leaves submodules as they are.
            fix="git submodule update" if moved else "git stash --include-untracked",
        )
    if state.unwatched:
        names = " ".join(row[2:] for row in state.unwatched)
        yield Refusal(
            rule="clean",
            found=f"git is told to pass over changes of {names}",
            expected="these files in the commit of the release",
            fix="git sparse-checkout disable"
            if any(row[0] in "sS" for row in state.unwatched)
            else f"git update-index --no-assume-unchanged {names}",
        )
    if state.identity_problem is not None:
        yield Refusal(
            rule="identity",
            found=state.identity_problem,
            expected="a name and an email address for the commit and the tag",
            fix="git config user.name NAME && git config user.email ADDRESS",
        )
    if state.signing_problem is not None:
        yield Refusal(
            rule="signing",
            found=f"a test signature failed: {state.signing_problem}",
            expected="a working signature, because git is configured to sign",
            fix="git config --get-regexp 'gpg|sign'  (and fix the key that it names)",
        )


def right_remote(state: State) -> Iterator[Refusal]:
    remote, others, branch = state.remote, state.there.others, state.here.branch
    if others:
        yield Refusal(
            rule="remote",
            found=f"no remote named {remote}, only {', '.join(others)}",
            expected=f'{remote}, or [tool.trunkline] remote = "{others[0]}"',
            fix=f"git remote rename {others[0]} {remote}",
        )
    elif state.tracked not in {None, ".", remote}:
        yield Refusal(
            rule="remote",
            found=f"{branch} tracks {state.tracked}; a release would go to {remote}",
            expected=f'[tool.trunkline] remote = "{state.tracked}", or to track '
            f"{remote}",
            fix=f"git config branch.{branch}.remote {remote}",
        )


def same_as_remote(state: State) -> Iterator[Refusal]:
    if state.there.problem is not None and not state.there.others:
        yield Refusal(
            rule="remote",
            found=state.there.problem,
            expected="its branches and tags, to compare them with those here",
            fix=f"git ls-remote {state.remote}",
        )
    yield from same_tag(state.current_tag, remote=state.remote, rule="current-tag")


def same_tag(tag: TagState, *, remote: str, rule: str) -> Iterator[Refusal]:
    """Refuse a tag that the remote has and that is missing or another one here."""
    name = tag.name
    if tag.remote is None or tag.local == tag.remote:
        return
    if tag.local is None:
        found, fix = f"{name} is on {remote} only", "git fetch --tags"
    else:
        found = f"{name} is {tag.local[:12]} here and {tag.remote[:12]} there"
        fix = f"git fetch {remote} +refs/tags/{name}:refs/tags/{name}"
    expected = f"the same {name} here and on {remote}"
    yield Refusal(rule=rule, found=found, expected=expected, fix=fix)


def no_half_made_release(state: State) -> Iterator[Refusal]:
    tag = state.current_tag
    if tag.local or tag.remote:
        return
    if state.recorded:
        yield Refusal(
            rule="half-made",
            found=f"version {state.current} is committed and has no tag",
            expected=f"tag {tag.name}, where the next changelog starts",
            fix="uv run trunkline release",
        )
    elif state.any_version_tag:  # Without one, nothing has ever been released.
        yield Refusal(
            rule="current-tag",
            found=f"version {state.current}, which was never released",
            expected=f"tag {tag.name}; versions are written by `cz bump` only",
            fix=f"git log -p -S'{state.current}' -- pyproject.toml",
        )


def up_to_date(state: State) -> Iterator[Refusal]:
    branch = f"{state.remote}/{state.here.branch}"
    unpushed = state.current_tag.local and not state.current_tag.remote
    if state.there.behind:
        yield Refusal(
            rule="behind",
            found=f"{state.there.behind} commits of {branch} are missing here"
            + (f", and {state.there.ahead} of here there" if state.there.ahead else ""),
            expected=f"every commit of {branch}",
            # A rebase would leave the tag of a release that lost a race where it is.
            fix="uv run trunkline release"
            if unpushed and state.there.ahead
            else f"git pull --rebase {state.remote} {state.here.branch} --tags",
        )


def tag_on_this_branch(state: State) -> Iterator[Refusal]:
    tag = state.current_tag
    if tag.local and not tag.reached:
        yield Refusal(
            rule="current-tag",
            found=f"{tag.name} is at {str(tag.commit)[:12]}, which HEAD does not "
            "contain",
            expected=f"{tag.name} in the history of {state.here.branch}",
            fix="uv run trunkline release"
            if tag.remote is None
            else f"git log --oneline --graph HEAD {tag.name}",
        )
