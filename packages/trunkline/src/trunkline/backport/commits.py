"""Make the commits of a backport."""

import contextlib

from commitizen.bump import update_version_in_files
from commitizen.config import read_cfg
from commitizen.providers import get_provider

from trunkline.backport.rules import BackportStep, Kind, section_subject
from trunkline.errors import FailedError, TrunklineError
from trunkline.files import keep_line_ends, replace_content
from trunkline.git import Repository
from trunkline.project import head_project, project_at
from trunkline.releases.bump_files import bump_files
from trunkline.releases.changelog import find_section, insert_section
from trunkline.releases.clone import LockedClone

SECTION_BODY = """\
It was released from another line in the meantime. The section stands in
version order: above newer ones it would make the next bump repeat them."""


class ConflictError(TrunklineError):
    """A commit does not apply; a person has to resolve the conflicts in `paths`."""

    exit_code = 1

    def __init__(self, paths: list[str]) -> None:
        super().__init__(paths)
        self.paths = paths


def make(clone: LockedClone, tag: str, step: BackportStep) -> None:
    """Make the commit of one step; raises ConflictError or FailedError."""
    if step.kind is Kind.PICK:
        pick(clone, step)
        return
    repository = clone.repository
    names = bump_files(repository.root, head_project(repository))
    paths = [repository.root / name for name in names]
    before = {path: path.read_bytes() for path in paths if path.is_file()}
    _write_section(repository, tag, step.commit)
    if step.kind is Kind.BUMP:
        _write_version(repository, tag.removeprefix("v"))
    for path, content in before.items():
        keep_line_ends(path, content, staging=repository.staging)
    now = {path: path.read_bytes() for path in paths if path.is_file()}
    files = [str(path) for path in now if now[path] != before.get(path)]
    if step.kind is Kind.BUMP:
        _commit_files(clone, files, **_bump_message(repository, step.commit))
    elif files:
        _commit_files(clone, files, f"{section_subject(tag)}\n\n{SECTION_BODY}\n")


def pick(clone: LockedClone, step: BackportStep) -> None:
    """Cherry-pick one commit.

    One whose change is already here is kept as an empty commit, from which the next
    backport learns of it. Git's own sequence of several picks would not do: continued
    after a crash it skips the pick that was interrupted.
    """
    done = clone.git(
        "cherry-pick", "-x", "--allow-empty", "--keep-redundant-commits", step.commit
    )
    if done.ok:
        return
    paths = unmerged(clone.repository)
    if paths:
        raise ConflictError(paths)
    failed = f"`git cherry-pick -x {step.commit[:12]}` failed"
    raise FailedError(f"{failed}:\n{done.complaint}")


def picking(repository: Repository) -> str | None:
    """Return the commit whose cherry-pick is in progress."""
    return repository.find_commit("CHERRY_PICK_HEAD")


def finish_pick(clone: LockedClone) -> None:
    """Commit a resolved cherry-pick; raises ConflictError while it is not resolved."""
    repository = clone.repository
    left = unmerged(repository) or repository.names("diff", "--name-only", "-z")
    if left:
        raise ConflictError(left)
    # `git cherry-pick --continue` refuses a pick that has become empty, and takes lines
    # of the message that begin with `#` for comments.
    options = ("-q", "--allow-empty", "--cleanup=whitespace", "-F", "-")
    done = clone.git("commit", *options, stdin=_pick_message(repository))
    if not done.ok:
        raise FailedError(f"`git commit` failed:\n{done.complaint}")


def _pick_message(repository: Repository) -> bytes:
    """Return the message that git has prepared, without its list of conflicts."""
    commit = str(picking(repository))
    origin = f"(cherry picked from commit {commit})".encode()
    file = repository.git_dir / "MERGE_MSG"
    if file.exists():
        head, end, _ = file.read_bytes().rpartition(origin)
        if end:
            return head + end
    own = repository.run("show", "-s", "--format=%B", commit, check=True).stdout
    return own + b"\n" + origin


def unmerged(repository: Repository) -> list[str]:
    """List the files with conflicts."""
    return repository.names("diff", "--name-only", "--diff-filter=U", "-z")


def _write_section(repository: Repository, tag: str, commit: str) -> None:
    """Insert the section of `tag` into the trunk's changelog, if it is missing."""
    trunk = head_project(repository)
    text, file = trunk.changelog, trunk.changelog_file
    section = find_section(project_at(repository, commit).changelog, tag)
    if section is None or find_section(text, tag):
        return
    content = insert_section(text, section).encode("utf-8", "surrogateescape")
    replace_content(repository.root / file, content, staging=repository.staging)


def _write_version(repository: Repository, version: str) -> None:
    """Let commitizen write the version.

    The bump is not cherry-picked because it would conflict if the trunk is at an alpha
    or has changed a line beside the version.
    """
    current = str(head_project(repository).document["project"]["version"])
    with contextlib.chdir(repository.root):
        config = read_cfg()
        encoding, files = config.settings["encoding"], config.settings["version_files"]
        update_version_in_files(
            current, version, files, check_consistency=False, encoding=encoding
        )
        get_provider(config).set_version(version)


def _bump_message(repository: Repository, commit: str) -> dict[str, str]:
    """Return message and author as `git cherry-pick -x` would keep them."""
    shown = repository.read("show", "-s", "--format=%an%x00%ae%x00%aI%x00%B", commit)
    name, email, date, message = shown.split("\0", 3)
    return {
        "message": f"{message.rstrip()}\n\n(cherry picked from commit {commit})\n",
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_AUTHOR_DATE": date,
    }


def _commit_files(
    clone: LockedClone, files: list[str], message: str, **env: str
) -> None:
    clone.repository.run("add", "--", *files, check=True)
    stdin = message.encode("utf-8", "surrogateescape")
    done = clone.git("commit", "-q", "-F", "-", stdin=stdin, **env)
    if not done.ok:
        raise FailedError(f"`git commit` failed:\n{done.complaint}")


def touched(repository: Repository, step: BackportStep) -> list[str]:
    """List the files that a step may change."""
    shown = ("diff-tree", "-r", "--no-commit-id", "--name-only", "-z")
    own = bump_files(repository.root, head_project(repository))
    return [*repository.names(*shown, step.commit), *own]
