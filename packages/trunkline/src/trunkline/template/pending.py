"""Apply a merged tree to the working tree so that an interrupted run can be resumed.

What is to be done is written down first. A later run finds that record and does the
rest, unless a file has been edited since: each must be as before the update, as after
it, or half-written.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shlex import quote

from trunkline.errors import FailedError, Refusal
from trunkline.files import clear_record, write_record
from trunkline.git import Repository
from trunkline.locks import remove_stale_git_locks
from trunkline.output import say
from trunkline.process import ProcessError, uv
from trunkline.template.merge import ABSENT, ConflictStage, MergeResult
from trunkline.template.trees import folders_of

FILE = "trunkline/template.json"
LOCK = "uv.lock"


@dataclass(frozen=True, slots=True)
class PendingUpdate:
    """A merge that is being applied to the working tree at commit `head`.

    `unlocked` says why uv.lock could not be brought up to date afterwards.
    """

    head: str
    merged: MergeResult
    label: str
    unlocked: str = ""


def begin(repository: Repository, pending: PendingUpdate) -> PendingUpdate:
    """Apply the merge to a clean working tree.

    Raises Refusal if files are in its way, and then has done nothing; FailedError if it
    was interrupted, as by a full disk, and then `resume` does the rest.
    """
    if blocked := next(_in_the_way(repository, pending.merged.tree), None):
        raise Refusal(
            rule="untracked",
            found=f"{blocked}, an untracked file where the template adds one",
            expected="no untracked file in the way of a new one",
            fix=f"git add --force {quote(blocked)} && git commit  (or move it away)",
        )
    write_record(repository.git_dir / FILE, asdict(pending))
    # In a copied working tree the index has other timestamps for the same content.
    repository.run("update-index", "-q", "--refresh")
    done = repository.run("read-tree", "-m", "-u", "HEAD", pending.merged.tree)
    if not done.ok:
        raise FailedError(
            f"the files could not all be written: {done.complaint}\n"
            "  type next: the same command, when that is fixed: it finishes the update"
        )
    return _end(repository, pending)


def _in_the_way(repository: Repository, tree: str) -> Iterator[str]:
    """Yield files that git does not know where a new file or its folder must go.

    git itself overwrites a file that is ignored.
    """
    listed = ("-r", "-z", "--no-renames", "--diff-filter=A", "--name-only")
    added = {*repository.names("diff-tree", *listed, "HEAD", tree)}
    wanted = added | {folder for path in added for folder in folders_of(path)}
    for file in repository.names("ls-files", "-z", "--others"):
        if file in wanted or not added.isdisjoint(folders_of(file)):
            yield file


def resume(repository: Repository) -> PendingUpdate | None:
    """Finish an update that was interrupted; None if there is none.

    Raises Refusal where somebody has edited files since.
    """
    pending = _read(repository.git_dir / FILE)
    if pending is None:
        return None
    remove_stale_git_locks([repository.git_dir / "index.lock"], repository.root)
    if pending.head != repository.read("rev-parse", "HEAD"):
        clear_record(repository.git_dir / FILE)
        return None
    tree = pending.merged.tree
    if edited := _edited(repository, tree):
        raise Refusal(
            rule="unfinished",
            found=f"an update that was interrupted, and edits since: {edited[0]}",
            expected="no edits until the update is finished",
            fix="git reset --hard  (which undoes both; then repeat the update)",
        )
    say("finishing the update that was interrupted")
    repository.run("read-tree", "--reset", "-u", tree, check=True)
    return _end(repository, pending)


def _end(repository: Repository, pending: PendingUpdate) -> PendingUpdate:
    """Mark the conflicts, lock, and remove the record."""
    stages = pending.merged.stages
    rows = [f"0 {ABSENT}\t{path}\0" for path in pending.merged.conflicts]
    rows += [f"{s.mode} {s.oid} {s.number}\t{s.path}\0" for s in stages]
    stdin = "".join(rows).encode("utf-8", "surrogateescape")
    repository.run("update-index", "-z", "--index-info", stdin=stdin, check=True)
    unlocked = ""
    if "pyproject.toml" not in pending.merged.conflicts:
        unlocked = _lock(repository)
    clear_record(repository.git_dir / FILE)
    return replace(pending, unlocked=unlocked)


def _lock(repository: Repository) -> str:
    """Update uv.lock, which is never merged; returns why uv could not."""
    if not (repository.root / LOCK).exists():
        return ""
    try:
        uv("lock", "--quiet", cwd=repository.root).required()
        repository.run("add", LOCK, check=True)
    except ProcessError as error:
        return str(error)
    return ""


def _edited(repository: Repository, tree: str) -> list[str]:
    """List files that somebody has edited since the update began."""
    fields = repository.names("diff-tree", "-r", "-z", "--no-renames", "HEAD", tree)
    changed = {
        path: (about.split(" ")[2], about.split(" ")[3])
        for about, path in zip(fields[::2], fields[1::2], strict=True)
    }
    others = repository.names("diff", "--name-only", "-z", "HEAD")
    return [path for path in others if path not in {*changed, LOCK}] + [
        path
        for path, (old, new) in changed.items()
        if not _is_of_update(repository, repository.root / path, old, new)
    ]


def _is_of_update(repository: Repository, file: Path, old: str, new: str) -> bool:
    if not file.exists() and not file.is_symlink():
        return True  # Deleted by the update, or not yet written again.
    if file.is_symlink() or file.is_dir():
        return False
    content = file.read_bytes()
    contents = repository.objects([name for name in (old, new) if int(name, 16)])
    before, after = contents.get(old), contents.get(new)
    if before and before.content == content:
        return True
    return after is not None and after.content.startswith(content)


def _read(record: Path) -> PendingUpdate | None:
    try:
        document = json.loads(record.read_text(encoding="utf-8"))
        merged = document["merged"]
        merged["stages"] = [ConflictStage(*stage) for stage in merged["stages"]]
        return PendingUpdate(document["head"], MergeResult(**merged), document["label"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
