"""Push a release, both branch and tag or neither, or undo it."""

import os
from collections.abc import Mapping

from trunkline import process
from trunkline.errors import FailedError, Refusal
from trunkline.files import clear_record
from trunkline.git import HEADS, TAGS
from trunkline.output import say
from trunkline.process import Completed
from trunkline.releases.clone import HOOKS_TIMEOUT, LockedClone
from trunkline.releases.journal import RELEASE, Journal
from trunkline.releases.recovery import undo
from trunkline.releases.rules.tag import tag_refusals
from trunkline.releases.state import State
from trunkline.releases.tag_survey import ReleaseBranches, tag_facts

# How `git push` ends if a hook here declines; a lost connection ends it otherwise.
HOOK_DECLINED = 1
# A release that no hook of this clone takes part in.
WITHOUT_HOOKS = (
    "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath "
    "GIT_CONFIG_VALUE_0=/dev/null uv run trunkline release"
)


def push(
    clone: LockedClone,
    state: State,
    tag: str,
    *,
    commit: str,
    record: Journal | None,
    ours: bool,
) -> int:
    """Push branch and tag, both or neither, and end the release either way.

    `record` says how to undo it, and `ours` whether to undo it after any refusal.
    """
    branch, ref = f"{HEADS}{state.here.branch}", f"{TAGS}{tag}"
    check_before_push(clone, state, tag, {branch: commit}, record if ours else None)
    sent = send(clone, state.remote, f"{commit}:{branch}", f"{ref}:{ref}")
    if sent.ok:
        return finish_pushed(clone, state, tag)
    there = ask(clone, branch, ref)
    tip = there.get(branch)
    has_tag = there.get(ref) == clone.repository.read("rev-parse", ref)
    # If the tag was not there before, both have arrived, whatever the answer was, and
    # the branch may have moved on since.
    was_there = state.current_tag.name == tag and state.current_tag.remote is not None
    if has_tag and (tip == commit or not was_there):
        return finish_pushed(clone, state, tag)
    raced = tip not in {state.there.tip, commit}
    if record is not None and (ours or raced) and not has_tag and tip != commit:
        take_back(clone, record)
    raise lost_race(state, tag) if raced else not_pushed(state, tag, sent)


def check_before_push(
    clone: LockedClone,
    state: State,
    tag: str,
    pushed: Mapping[str, str],
    record: Journal | None,
) -> None:
    """Apply CI's rules for a pushed tag, and undo the release if it breaks one."""
    branches = ReleaseBranches(clone.repository, state.remote, pushed)
    oid = clone.repository.read("rev-parse", f"{TAGS}{tag}")
    facts = tag_facts(clone.repository, tag, oid, branches=branches)
    for fault in tag_refusals(facts):
        if record is None:
            raise fault
        take_back(clone, record)
        raise Refusal(
            rule=fault.rule,
            found=fault.found,
            expected=f"{fault.expected}, which a hook of git may have changed",
            fix=WITHOUT_HOOKS,
        )


def send(clone: LockedClone, remote: str, *refs: str) -> Completed:
    """Push all refs or none, and no other; returns what became of each.

    Some hosts take no atomic push. They get one ref after the other, the branch first:
    a later run adds the tag that is missing.
    """
    sent = _send(clone, remote, "--atomic", *refs)
    trial = ("push", "--atomic", "--dry-run", "--no-verify", remote, *refs)
    if sent.ok or "support --atomic" not in clone.repository.run(*trial).complaint:
        return sent
    say(f"{remote} takes no atomic push: first the branch, then the tag")
    for ref in refs:
        # The hook has seen them together.
        sent = _send(clone, remote, "--no-verify", ref)
        if not sent.ok:
            break
    return sent


def _send(clone: LockedClone, remote: str, *words: str) -> Completed:
    # Hooks and the remote print on standard error for the person who waits.
    options = ("push", "--quiet", "--porcelain", "--no-follow-tags")
    return process.run(
        # A remote that is a mirror takes no refs by name.
        ["git", "-c", f"remote.{remote}.mirror=false", *options, remote, *words],
        cwd=clone.repository.root,
        timeout=HOOKS_TIMEOUT,
        show_errors=True,
        inherit=(clone.lock,),
    )


def ask(clone: LockedClone, *refs: str) -> dict[str, str]:
    """Ask the remote where refs are after a push that may have failed."""
    try:
        return clone.repository.remote_refs(clone.settings, refs)
    except Refusal as error:
        raise FailedError(
            f"it is not known what was accepted: {error.found}\n"
            "  type next: uv run trunkline release  (it finishes or undoes it)"
        ) from error


def finish_pushed(clone: LockedClone, state: State, tag: str) -> int:
    """End a release that is on the remote."""
    clear_record(clone.repository.git_dir / RELEASE)
    print(f"released {tag}: {state.here.branch} and {tag} are on {state.remote}")
    return 0


def lost_race(state: State, tag: str) -> Refusal:
    """Explain why a release is undone that somebody else was faster than."""
    pull = f"git pull --rebase {state.remote} {state.here.branch} --tags"
    return Refusal(
        rule="race",
        found=f"new commits on {state.remote}/{state.here.branch} before {tag}",
        expected="nobody else to push in the meantime",
        fix=f"{pull} && uv run trunkline release",
    )


def not_pushed(
    state: State, tag: str, sent: Completed, *, package: str = ""
) -> Refusal:
    """Explain why the remote lacks the branch or the tag, be it of a package."""
    branch, who = state.here.branch, state.remote
    again = "uv run trunkline release" + f" --package {package}" * bool(package)
    # A package's tag has to be on the trunk, where others may have been faster.
    first = "pull --rebase" if package else "push --dry-run"
    fix = f"git {first} {who} {branch} && {again}"
    expected = f"{branch} and {tag} accepted together"
    if "[remote rejected]" in sent.text:
        expected = (
            f"a direct push to {branch}, by one who may bypass its protection;\n"
            "             others release by the workflow *Release*"
        )
        field = f" --field package={package}" * bool(package)
        fix = f"gh workflow run release.yml --ref {branch}{field}"
        if "GITHUB_ACTIONS" in os.environ:
            fix = "gh secret set RELEASE_TOKEN --env release"
    elif sent.code == HOOK_DECLINED:
        who, fix = "the pre-push hook", "uv run trunkline check --when push"
    return Refusal(
        rule="push",
        found=f"{who} rejected {tag}; the reason is printed above",
        expected=expected,
        fix=fix,
    )


def take_back(
    clone: LockedClone, journal: Journal, *, remote_tag: str | None = None
) -> None:
    """Undo a release and say what was undone."""
    done = undo(clone.repository, journal, remote_tag=remote_tag)
    say(f"{journal.tag} is undone:")
    for line in done or ["nothing had changed"]:
        say(f"  {line}")
