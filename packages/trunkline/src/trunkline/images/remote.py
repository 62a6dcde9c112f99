"""The branches and tags of the git remote, and whether a commit may be published."""

from collections.abc import Mapping
from dataclasses import dataclass

from trunkline.errors import Refusal
from trunkline.git import HEADS, TAGS, Repository
from trunkline.settings import Settings


@dataclass(frozen=True, slots=True)
class Remote:
    """Branches and tags of the remote, each with its commit."""

    heads: Mapping[str, str]
    tags: Mapping[str, str]

    @classmethod
    def of(cls, refs: Mapping[str, str]) -> "Remote":
        """Sort refs; an annotated tag has a second line, with its commit."""
        heads = {
            n.removeprefix(HEADS): o for n, o in refs.items() if n.startswith(HEADS)
        }
        tags = {
            name.removeprefix(TAGS).removesuffix("^{}"): oid
            for name, oid in sorted(refs.items())
            if name.startswith(TAGS)
        }
        return cls(heads, tags)


def read_remote(repository: Repository, settings: Settings) -> Remote:
    """Ask the remote for all its branches and tags; raises Refusal if it is silent."""
    return Remote.of(repository.remote_refs(settings, (f"{HEADS}*", f"{TAGS}*")))


def fetch_tips(
    repository: Repository, settings: Settings, heads: Mapping[str, str]
) -> None:
    """Fetch the tips of branches that are missing here, without changing any ref."""
    known = repository.objects(sorted(set(heads.values())))
    refs = [f"{HEADS}{name}" for name, oid in heads.items() if not known[oid]]
    if refs:
        repository.fetch(settings, refs)


def on_branch(
    repository: Repository, settings: Settings, commit: str, tip: str | None, name: str
) -> bool:
    """Whether a commit is on a branch of the remote; `tip` is None if there is none."""
    if tip is None:
        return False
    fetch_tips(repository, settings, {name: tip})
    return repository.is_ancestor(commit, tip)


def require_pushed(
    repository: Repository,
    settings: Settings,
    *,
    branch: str,
    commit: str,
    remote: Remote,
) -> None:
    """Refuse a commit that is not on the remote's branch."""
    tip = remote.heads.get(branch)
    if on_branch(repository, settings, commit, tip, branch):
        return
    there = f"is at {tip[:12]}, without it" if tip else "is not there"
    raise Refusal(
        rule="pushed",
        found=f"{commit[:12]} of branch {branch}, which on {settings.remote} {there}",
        expected="a pushed commit, so that everyone can see what is running",
        fix=f"git push {settings.remote} {branch}",
    )
