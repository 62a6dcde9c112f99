"""Bring a release to the remote, both branch and tag or neither, or take it back."""

from dataclasses import dataclass

from trunkline import process
from trunkline.errors import FailedError, Refusal
from trunkline.git import Repository
from trunkline.output import say
from trunkline.process import ProcessError
from trunkline.releases.commitizen import LONG
from trunkline.releases.journal import Journal, clear_journal
from trunkline.releases.recovery import undo
from trunkline.releases.state import State
from trunkline.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """Where a release happens; `lock` is the descriptor that children inherit."""

    repository: Repository
    settings: Settings
    lock: int


def push(
    place: Place,
    state: State,
    tag: str,
    *,
    commit: str,
    record: Journal | None,
    ours: bool,
) -> int:
    """Push branch and tag, both or neither, and end the release either way.

    `record` says how to undo it, and `ours` whether that is right after any refusal.
    """
    branch, ref = f"refs/heads/{state.branch}", f"refs/tags/{tag}"
    if send(place, state.remote, f"{commit}:{branch}", f"{ref}:{ref}"):
        return landed(place, state, tag)
    there = ask(place, state.remote, branch, ref)
    tip = there.get(branch)
    has_tag = there.get(ref) == place.repository.read("rev-parse", ref)
    # Where the tag was not there before, both have arrived, whatever the answer was,
    # and the branch may have moved on since.
    if has_tag and (tip == commit or not already_there(state, tag)):
        return landed(place, state, tag)
    raced = tip != state.remote_tip
    if record is not None and (ours or raced) and not has_tag:
        take_back(place, record)
    raise not_taken(state, tag, raced=raced)


def send(place: Place, remote: str, *refs: str) -> bool:
    """Push all refs or none; returns whether git says that it did."""
    # Not captured: hooks of git and the remote speak to the person who waits.
    done = process.run(
        ["git", "push", "--quiet", "--atomic", remote, *refs],
        cwd=place.repository.root,
        timeout=LONG,
        capture=False,
        inherit=(place.lock,),
    )
    return done.ok


def ask(place: Place, remote: str, *refs: str) -> dict[str, str]:
    """Ask the remote where refs are after a push that may have failed."""
    timeout = place.settings.timeout
    try:
        return place.repository.remote_refs(remote, refs, timeout=timeout)
    except ProcessError as error:
        raise FailedError(
            f"{remote} does not say what it has taken: {error}\n"
            "  type next: uv run trunkline release, which finishes or undoes it"
        ) from error


def landed(place: Place, state: State, tag: str) -> int:
    """End a release that is on the remote."""
    clear_journal(place.repository.git_dir)
    print(f"released {tag}: {state.branch} and {tag} are on {state.remote}")
    return 0


def already_there(state: State, tag: str) -> bool:
    """Whether the remote had the tag before the push, without its branch."""
    return state.current_tag.name == tag and state.current_tag.remote is not None


def not_taken(state: State, tag: str, *, raced: bool) -> Refusal:
    """Say why the remote has neither branch nor tag."""
    if raced:
        return Refusal(
            rule="race",
            found=f"{state.remote}/{state.branch} moved on before {tag} was pushed",
            expected="to be the only one who pushes",
            fix=_again(state),
        )
    return Refusal(
        rule="push",
        found=f"{state.remote} or a hook did not let {tag} pass; it says why above",
        expected=f"{state.branch} and {tag} to be taken together",
        fix="uv run trunkline release",
    )


def _again(state: State) -> str:
    return (
        f"git pull --rebase {state.remote} {state.branch} && uv run trunkline release"
    )


def take_back(place: Place, journal: Journal, *, remote_tag: str | None = None) -> None:
    """Undo a release and say what was undone."""
    done = undo(place.repository, journal, remote_tag=remote_tag)
    say(f"{journal.tag} is undone:")
    for line in done or ["nothing had been changed"]:
        say(f"  {line}")
