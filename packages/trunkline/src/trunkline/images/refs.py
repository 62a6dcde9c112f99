"""Resolve a ref as a person types it to its full name and commit."""

from trunkline.errors import UsageError
from trunkline.git import HEADS, TAGS, Repository


def find_ref(repository: Repository, ref: str | None, remote: str) -> tuple[str, str]:
    """Return a ref's full name and its commit; HEAD's if none is given.

    A branch may exist only on the remote, as in a workflow's checkout.
    """
    name = _full_name(repository, ref, remote) if ref else _head(repository)
    places = [name, name.replace(HEADS, f"refs/remotes/{remote}/", 1)]
    for place in places:
        if commit := repository.find_commit(place):
            return name, commit
    raise UsageError(
        f"there is no {name} here; expected a branch or a tag that git knows\n"
        f"  type next: git fetch --tags {remote}"
    )


def _head(repository: Repository) -> str:
    """Return HEAD's branch; raises UsageError, with its version tag, if detached."""
    answer = repository.run("symbolic-ref", "-q", "HEAD")
    if answer.ok:
        return answer.text
    here = repository.read("tag", "--points-at", "HEAD", "v*").splitlines()
    raise UsageError(
        f"HEAD is detached{f' at tag {here[-1]}' if here else ''}; expected a branch, "
        "or a ref as the argument\n"
        f"  type next: uv run trunkline tags {here[-1] if here else 'REF'}"
    )


def _full_name(repository: Repository, ref: str, remote: str) -> str:
    if ref.startswith("refs/"):
        return ref
    wanted = (f"{HEADS}{ref}", f"{TAGS}{ref}")
    names = [name for name in repository.refs(*wanted) if name in wanted]
    if len(names) > 1:
        raise UsageError(
            f"`{ref}` is a branch and a tag; expected {' or '.join(names)}"
        )
    return names[0] if names else wanted[0]
