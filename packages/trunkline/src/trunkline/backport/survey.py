"""Gather what a hotfix brings to the trunk, and how much of it the trunk has."""

from collections.abc import Iterator

from trunkline.backport.rules import Hotfix, HotfixCommit, origins
from trunkline.commits.history import Commit, read_commits
from trunkline.git import TAGS, Repository
from trunkline.project import head_project, project_at
from trunkline.releases.changelog import find_section
from trunkline.releases.state import TagState
from trunkline.versions import Version

_PICKED = "--grep=cherry picked from"


def find_hotfix(repository: Repository, tag: TagState) -> Hotfix:
    """Look at a hotfix from the trunk's HEAD; its tag must be here."""
    commit = str(tag.commit)
    own, before = (project_at(repository, at) for at in (commit, f"{commit}^"))
    trunk = head_project(repository)
    previous = before.readable_version
    line = previous.tag if previous else ""
    return Hotfix(
        tag=tag,
        own=own.readable_version,
        previous=previous,
        follows=repository.is_ancestor(f"{TAGS}{line}", "HEAD")
        or find_section(trunk.changelog, line) is not None,
        section=find_section(own.changelog, tag.name),
        commits=tuple(_hotfix_commits(repository, commit, previous))
        if previous
        else (),
        recorded=find_section(trunk.changelog, tag.name) is not None,
        ahead_of_trunk=repository.is_ancestor("HEAD", commit),
    )


def _hotfix_commits(
    repository: Repository, commit: str, previous: Version
) -> Iterator[HotfixCommit]:
    """Yield the commits since the previous tag except the bump, oldest first.

    The trunk has a commit if it has one with the same patch, one that says it was
    picked from it, or the one that it was itself picked from.
    """
    since = f"^{TAGS}{previous.tag}"
    marked = ("--cherry-mark", "--right-only", "--no-merges", f"HEAD...{commit}")
    picked = {
        origin: found.hash
        for found in read_commits(repository, "HEAD", since, only=_PICKED)
        for origin in origins(found.message)
    }
    same = {
        line[1:]
        for line in repository.read("rev-list", *marked, since).splitlines()
        if line.startswith("=")
    }
    theirs = read_commits(repository, commit, since, "^HEAD", only="--no-merges")
    for found in reversed(theirs):
        if found.hash != commit:
            reason = _reason(repository, found, same, picked)
            yield HotfixCommit(found.hash, found.subject, reason)


def _reason(
    repository: Repository, found: Commit, same: set[str], picked: dict[str, str]
) -> str:
    if found.hash in same:
        return "the same change is here"
    if found.hash in picked:
        return f"already picked as {picked[found.hash][:12]}"
    for origin in origins(found.message):
        if repository.is_ancestor(origin, "HEAD"):
            return f"was picked from {origin[:12]}, which is here"
    return ""
