"""Apply a merged tree to the working tree so that an interrupted run can be undone.

What is to be done is written down first. A later run that finds that record goes back
to HEAD and begins again; what it finds in the files is kept in a stash of git.
"""

import json
from collections.abc import Iterator
from shlex import quote

from trunkline.errors import FailedError, Refusal
from trunkline.files import clear_record, write_record
from trunkline.git import Repository
from trunkline.locks import remove_stale_git_locks
from trunkline.output import say
from trunkline.process import ProcessError, uv
from trunkline.template.merge import ABSENT, MergeResult
from trunkline.template.trees import folders_of

FILE = "trunkline/update.json"
LOCK = "uv.lock"


def apply(repository: Repository, merged: MergeResult) -> str:
    """Apply the merge to a clean working tree; returns why uv could not lock, or "".

    Raises Refusal if files are in its way, and then has done nothing; FailedError if it
    was interrupted, as by a full disk, and then `undo_interrupted` undoes it.
    """
    if blocked := next(_in_the_way(repository, merged.tree), None):
        raise Refusal(
            rule="untracked",
            found=f"{blocked}, an untracked file where the template adds one",
            expected="no untracked file in the way of a new one",
            fix=f"git add --force {quote(blocked)} && git commit  (or move it away)",
        )
    record = repository.git_dir / FILE
    head = repository.read("rev-parse", "HEAD")
    write_record(record, {"head": head, "tree": merged.tree})
    # In a copied working tree the index has other timestamps for the same content.
    repository.run("update-index", "-q", "--refresh")
    done = repository.run("read-tree", "-m", "-u", "HEAD", merged.tree)
    if not done.ok:
        raise FailedError(
            f"the files could not all be written: {done.complaint}\n"
            "  type next: the same command, when that is fixed: it begins again"
        )
    rows = [f"0 {ABSENT}\t{path}\0" for path in merged.conflicts]
    rows += [f"{s.mode} {s.oid} {s.number}\t{s.path}\0" for s in merged.stages]
    stdin = "".join(rows).encode("utf-8", "surrogateescape")
    repository.run("update-index", "-z", "--index-info", stdin=stdin, check=True)
    unlocked = "" if "pyproject.toml" in merged.conflicts else _lock(repository)
    clear_record(record)
    return unlocked


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


def undo_interrupted(repository: Repository) -> None:
    """Go back to HEAD if an update was interrupted there."""
    record = repository.git_dir / FILE
    if not record.exists():
        return
    remove_stale_git_locks(repository)
    begun = json.loads(record.read_text(encoding="utf-8"))
    if begun["head"] == repository.read("rev-parse", "HEAD"):
        # Only with its new files in the index does git take those away, too.
        repository.run("read-tree", begun["tree"], check=True)
        note = ("--message", "an update of the template that was interrupted")
        repository.run("stash", "push", "--quiet", *note, check=True)
        say("an update was interrupted and begins again; what it left: git stash list")
    clear_record(record)


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
