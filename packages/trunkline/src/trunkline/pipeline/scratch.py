"""The remote and the clones that a local run works on; the real remote is not asked.

The scratch remote holds what the real one would after a push of the event's ref, so
that what a step pushes, such as a release, stays here.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trunkline import process
from trunkline.errors import FailedError, UsageError
from trunkline.git import QUIET, Repository
from trunkline.pipeline.events import HEADS, TAGS

_PULL = "refs/pull/1/merge"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_CHECKOUT_INPUTS = {"ref", "fetch-depth", "fetch-tags", "persist-credentials"}


@dataclass(frozen=True, slots=True)
class Scratch:
    """A folder for one run; `origin` is the bare repository in it."""

    folder: Path

    @property
    def origin(self) -> Path:
        """The scratch remote."""
        return self.folder / "origin.git"

    @property
    def git_config(self) -> Path:
        """What steps write with `git config --global`; it begins with the person's."""
        return self.folder / "gitconfig"

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run git, in the scratch remote unless `cwd` says otherwise."""
        return process.run(
            ["git", *arguments], cwd=cwd or self.origin, env=QUIET, check=True
        ).text


def make_scratch(
    repository: Repository, folder: Path, *, remote: str, trunk: str
) -> Scratch:
    """Fill a new scratch remote with the repository's branches and tags."""
    scratch = Scratch(folder)
    scratch.git("init", "-q", "--bare", "-b", trunk, str(scratch.origin), cwd=folder)
    refspecs = [f"+{source}:{HEADS}{name}" for name, source in tips(repository, remote)]
    source = str(repository.common_dir.resolve())
    scratch.git("fetch", "-q", "--no-tags", source, f"+{TAGS}*:{TAGS}*", *refspecs)
    own = os.environ.get("GIT_CONFIG_GLOBAL") or str(Path.home() / ".gitconfig")
    text = f'[include]\n\tpath = "{own}"\n'
    scratch.git_config.write_text(text, encoding="utf-8")
    return scratch


def tips(repository: Repository, remote: str) -> list[tuple[str, str]]:
    """Choose a ref for each branch: the local one, unless the remote's is ahead."""
    prefix = f"refs/remotes/{remote}/"
    refs = repository.refs(HEADS, prefix)
    local = {name.removeprefix(HEADS) for name in refs if name.startswith(HEADS)}
    there = {name.removeprefix(prefix) for name in refs if name.startswith(prefix)}
    chosen = []
    for name in sorted(local | (there - {"HEAD"})):
        behind = (
            name in local & there
            and refs[f"{HEADS}{name}"] != refs[f"{prefix}{name}"]
            and repository.is_ancestor(f"{HEADS}{name}", f"{prefix}{name}")
        )
        mine = name in local and not behind
        chosen.append((name, f"{HEADS if mine else prefix}{name}"))
    return chosen


def merge_of(scratch: Scratch, *, base: str, head: str) -> str:
    """Make the commit that a pull request is tested at; returns its id.

    Raises FailedError where the two cannot be merged, as GitHub starts nothing then.
    """
    merged = process.run(
        ["git", "merge-tree", "--write-tree", "--no-messages", base, head],
        cwd=scratch.origin,
        env=QUIET,
    )
    if not merged.ok:
        raise FailedError(
            f"{head} cannot be merged into {base}; GitHub would start no workflow\n"
            f"  type next: git rebase {base}"
        )
    tree = merged.text.splitlines()[0]
    identity = ("-c", "user.name=GitHub", "-c", "user.email=noreply@github.com")
    message = f"Merge {head.removeprefix(HEADS)} into {base.removeprefix(HEADS)}"
    commit = scratch.git(
        *identity, "commit-tree", tree, "-p", base, "-p", head, "-m", message
    )
    scratch.git("update-ref", _PULL, commit)
    return commit


def check_out(
    scratch: Scratch, workspace: Path, inputs: Mapping[str, str], *, ref: str, sha: str
) -> None:
    """Do what actions/checkout does; `ref` and `sha` are the event's.

    Without `fetch-depth: 0` the clone has one commit and no tags, as it has there.
    """
    unknown = sorted(set(inputs) - _CHECKOUT_INPUTS)
    if unknown:
        raise UsageError(
            f"actions/checkout has the input `{unknown[0]}`, which a local run does "
            f"not know; it knows {', '.join(sorted(_CHECKOUT_INPUTS))}"
        )
    wanted = inputs.get("ref") or ""
    ref, commit = _resolve(scratch, wanted) if wanted else (ref, sha)
    workspace.mkdir(parents=True, exist_ok=True)
    scratch.git("init", "-q", "-b", "main", ".", cwd=workspace)
    scratch.git("remote", "add", "origin", scratch.origin.as_uri(), cwd=workspace)
    target = _target(ref)
    refspecs, depth = [f"+{commit}:{target}"], [f"--depth={_depth(inputs)}"]
    if _depth(inputs) == "0":
        depth = []
        everything = [f"+{HEADS}*:refs/remotes/origin/*", f"+{TAGS}*:{TAGS}*"]
        refspecs = everything + [it for it in refspecs if target.endswith("/merge")]
    scratch.git("fetch", "-q", "--no-tags", *depth, "origin", *refspecs, cwd=workspace)
    if ref.startswith(HEADS):
        branch = ref.removeprefix(HEADS)
        scratch.git("checkout", "-q", "-B", branch, commit, cwd=workspace)
        scratch.git("branch", "-q", "-u", f"origin/{branch}", cwd=workspace)
    else:
        scratch.git("checkout", "-q", "--detach", commit, cwd=workspace)


def _depth(inputs: Mapping[str, str]) -> str:
    return inputs.get("fetch-depth") or "1"


def _resolve(scratch: Scratch, name: str) -> tuple[str, str]:
    """Find a branch, a tag or a commit by the name that a workflow gives."""
    full = (name,) if name.startswith("refs/") else (f"{HEADS}{name}", f"{TAGS}{name}")
    for ref in full:
        found = process.run(
            ["git", "rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}"],
            cwd=scratch.origin,
            env=QUIET,
        )
        if found.ok:
            return ref, found.text
    if _COMMIT.fullmatch(name):
        return name, name
    raise FailedError(f"actions/checkout: there is no branch or tag `{name}`")


def _target(ref: str) -> str:
    """Return where a clone keeps what it fetched of the ref that it checks out."""
    if ref.startswith(HEADS):
        return f"refs/remotes/origin/{ref.removeprefix(HEADS)}"
    # A tag has then no annotation: actions/checkout fetches the commit there, too.
    return ref if ref.startswith(TAGS) else "refs/remotes/pull/1/merge"
