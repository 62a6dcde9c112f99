"""Restore files of the working tree to HEAD without losing what was in them."""

import time
from collections.abc import Sequence

from trunkline.files import replace_content
from trunkline.git import Repository

# Names may contain characters that git takes for patterns.
_LITERAL = "--literal-pathspecs"


def set_aside(repository: Repository, paths: Sequence[str]) -> list[str]:
    """Restore files to HEAD, keep their changes as a patch; returns a line for each."""
    others = ("ls-files", "--others", "--exclude-standard", "-z", "--")
    new = repository.names(_LITERAL, *others, *paths)
    if new:
        repository.run(_LITERAL, "add", "--intent-to-add", "--", *new, check=True)
    diff = (_LITERAL, "diff", "HEAD", "--no-ext-diff", "--no-textconv")
    changed = repository.names(*diff, "--name-only", "-z", "--", *paths)
    lines = [f"{path}: as committed" for path in changed]
    if changed:
        patch = repository.run(*diff, "--binary", "--", *paths, check=True).stdout
        saved = repository.git_dir / "trunkline" / "saved" / f"{time.time_ns()}.patch"
        replace_content(saved, patch, staging=saved.parent)
        inside = saved.is_relative_to(repository.root)
        place = saved.relative_to(repository.root) if inside else saved
        lines.append(f"to get the edits back: git apply {place}")
    # All of them: a killed git may have staged what the working tree no longer has.
    listed = (_LITERAL, "ls-tree", "-r", "--name-only", "-z", "HEAD", "--", *paths)
    known = repository.names(*listed)
    if known:
        to_head = ("restore", "--source=HEAD", "--staged", "--worktree", "--")
        repository.run(_LITERAL, *to_head, *known, check=True)
    created = set(paths).difference(known)
    if created:
        removal = ("rm", "-q", "-f", "--ignore-unmatch", "--")
        repository.run(_LITERAL, *removal, *created, check=True)
    return lines
