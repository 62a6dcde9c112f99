"""Push a release, both branch and tag or neither, or undo it."""

from trunkline import process
from trunkline.errors import FailedError, Refusal
from trunkline.git import HEADS, TAGS
from trunkline.output import say
from trunkline.process import ProcessError
from trunkline.releases.clone import HOOKS_TIMEOUT, LockedClone
from trunkline.releases.journal import Journal, clear_journal
from trunkline.releases.recovery import undo
from trunkline.releases.state import State


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
    if send(clone, state.remote, f"{commit}:{branch}", f"{ref}:{ref}"):
        return finish_pushed(clone, state, tag)
    there = ask(clone, state.remote, branch, ref)
    tip = there.get(branch)
    has_tag = there.get(ref) == clone.repository.read("rev-parse", ref)
    # If the tag was not there before, both have arrived, whatever the answer was, and
    # the branch may have moved on since.
    if has_tag and (tip == commit or not already_there(state, tag)):
        return finish_pushed(clone, state, tag)
    raced = tip != state.there.tip
    if record is not None and (ours or raced) and not has_tag:
        take_back(clone, record)
    raise not_pushed(state, tag, raced=raced)


def send(clone: LockedClone, remote: str, *refs: str) -> bool:
    """Push all refs or none; returns whether git reports success."""
    # Not captured: git's hooks and the remote print for the person who waits.
    done = process.run(
        ["git", "push", "--quiet", "--atomic", remote, *refs],
        cwd=clone.repository.root,
        timeout=HOOKS_TIMEOUT,
        capture=False,
        inherit=(clone.lock,),
    )
    return done.ok


def ask(clone: LockedClone, remote: str, *refs: str) -> dict[str, str]:
    """Ask the remote where refs are after a push that may have failed."""
    timeout = clone.settings.timeout
    try:
        return clone.repository.remote_refs(remote, refs, timeout=timeout)
    except ProcessError as error:
        raise FailedError(
            f"{remote} does not say what it has accepted: {error}\n"
            "  type next: uv run trunkline release, which finishes or undoes it"
        ) from error


def finish_pushed(clone: LockedClone, state: State, tag: str) -> int:
    """End a release that is on the remote."""
    clear_journal(clone.repository.git_dir)
    print(f"released {tag}: {state.here.branch} and {tag} are on {state.remote}")
    return 0


def already_there(state: State, tag: str) -> bool:
    """Whether the remote had the tag before the push, without its branch."""
    return state.current_tag.name == tag and state.current_tag.remote is not None


def not_pushed(state: State, tag: str, *, raced: bool) -> Refusal:
    """Explain why the remote has neither branch nor tag."""
    if raced:
        return Refusal(
            rule="race",
            found=f"new commits on {state.remote}/{state.here.branch} before {tag}",
            expected="nobody else to push in the meantime",
            fix=_again(state),
        )
    return Refusal(
        rule="push",
        found=f"{state.remote} or a hook rejected {tag}; the reason is printed above",
        expected=f"{state.here.branch} and {tag} accepted together",
        fix="uv run trunkline release",
    )


def _again(state: State) -> str:
    pull = f"git pull --rebase {state.remote} {state.here.branch}"
    return f"{pull} && uv run trunkline release"


def take_back(
    clone: LockedClone, journal: Journal, *, remote_tag: str | None = None
) -> None:
    """Undo a release and say what was undone."""
    done = undo(clone.repository, journal, remote_tag=remote_tag)
    say(f"{journal.tag} is undone:")
    for line in done or ["nothing had changed"]:
        say(f"  {line}")
