"""Which of several images a pointer belongs to. Pure.

Jobs end in any order: that of an older push may well end last. So a pointer is not set
to what a job has just built, but to what the remote and the registry, asked at that
moment, say that it should be.
"""

from collections.abc import Callable, Iterable, Sequence

from trunkline.versions import Version


def newest(
    candidates: Iterable[str | None],
    *,
    tip: str | None,
    contains: Callable[[str, str], bool],
) -> str | None:
    """Choose the commit for a branch's pointer; None where the branch is gone.

    Of commits that are on the branch, a later candidate replaces an earlier one only
    if it contains it. `contains(a, b)` tells whether `a` has `b` in its history.
    """
    if tip is None:
        return None
    best: str | None = None
    for commit in candidates:
        if commit is None or not contains(tip, commit):
            continue
        if best is None or contains(commit, best):
            best = commit
    return best


def first_with_image(line: Sequence[str], tags: Iterable[str]) -> str | None:
    """Return the first commit of a line, newest first, that has an image."""
    present = set(tags)
    return next((commit for commit in line if commit_tag(commit) in present), None)


def commit_tag(commit: str) -> str:
    """Return the tag of a commit's own image."""
    return f"sha-{commit[:12]}"


def latest(git_tags: Iterable[str], image_tags: Iterable[str]) -> str | None:
    """Choose the release for `latest`; None while the highest has no image yet.

    A version that was ever published counts, even if its git tag was deleted since, so
    that `latest` never moves back.
    """
    published = {f"v{tag}" for tag in image_tags}
    versions = (Version.from_tag(tag) for tag in {*git_tags, *published})
    highest = max((v for v in versions if v and v.stable), default=None)
    return str(highest) if highest and highest.tag in published else None
