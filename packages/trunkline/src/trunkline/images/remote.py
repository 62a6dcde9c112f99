"""The branches and tags of the git remote, and whether a commit may be published."""

from collections.abc import Mapping
from dataclasses import dataclass

from trunkline.errors import Refusal
from trunkline.git import Repository
from trunkline.settings import Settings

_HEADS, _TAGS = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, slots=True)
class Remote:
    """Branches and tags of the remote, each with its commit."""

    heads: Mapping[str, str]
    tags: Mapping[str, str]


def read_remote(repository: Repository, settings: Settings) -> Remote:
    """Ask the remote for all its branches and tags."""
    refs = repository.remote_refs(
        settings.remote, (f"{_HEADS}*", f"{_TAGS}*"), timeout=settings.timeout
    )
    # An annotated tag has a second line, with its commit.
    tags = {
        name.removeprefix(_TAGS).removesuffix("^{}"): oid
        for name, oid in sorted(refs.items())
        if name.startswith(_TAGS)
    }
    heads = {
        name.removeprefix(_HEADS): oid
        for name, oid in refs.items()
        if name.startswith(_HEADS)
    }
    return Remote(heads, tags)


def fetch_commit(
    repository: Repository, settings: Settings, *, branch: str, tip: str
) -> None:
    """Fetch a branch's tip if it is missing, without changing any ref."""
    if not repository.run("cat-file", "-e", f"{tip}^{{commit}}").ok:
        repository.run(
            "fetch",
            "-q",
            "--no-tags",
            settings.remote,
            f"{_HEADS}{branch}",
            timeout=settings.timeout,
            check=True,
        )


def require_history(repository: Repository, settings: Settings) -> None:
    """Refuse a shallow clone, which cannot tell which of two commits is older."""
    if repository.shallow:
        raise Refusal(
            rule="shallow",
            found="a shallow clone, which lacks branches and tags",
            expected="the whole history (in a workflow: fetch-depth: 0)",
            fix=f"git fetch --unshallow --tags {settings.remote}",
        )


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
    if tip is not None:
        fetch_commit(repository, settings, branch=branch, tip=tip)
        if repository.is_ancestor(commit, tip):
            return
    there = f"is at {tip[:12]}, without it" if tip else "is not there"
    raise Refusal(
        rule="pushed",
        found=f"{commit[:12]} of branch {branch}, which on {settings.remote} {there}",
        expected="a pushed commit, so that everyone can see what is running",
        fix=f"git push {settings.remote} {branch}",
    )
