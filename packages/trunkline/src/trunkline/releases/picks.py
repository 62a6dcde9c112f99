"""Make the commits of a backport, and clean up after one that was cut short."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trunkline import process
from trunkline.errors import FailedError, TrunklineError
from trunkline.files import decode_text, replace_content
from trunkline.git import QUIET, Repository
from trunkline.process import Completed
from trunkline.project import CHANGELOG, LOCK, PYPROJECT, head_project, project_at
from trunkline.releases import edits
from trunkline.releases.bumpfiles import version_files
from trunkline.releases.changelog import find_section, insert_section
from trunkline.releases.commitizen import LONG
from trunkline.releases.hotfix import Kind, Step, section_subject
from trunkline.versions import Version

SECTION_BODY = """\
It was released from another line while this one went on. The section
stands in version order: on top of newer ones it would make the next
bump repeat all of them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where picks are made; `lock` is the descriptor that children inherit."""

    repository: Repository
    lock: int

    def run(self, *arguments: str, stdin: bytes | None = None, **env: str) -> Completed:
        """Run a git that may run hooks, which may take long."""
        return process.run(
            ["git", *arguments],
            cwd=self.repository.root,
            env={**QUIET, "GIT_EDITOR": "true", **env},
            stdin=stdin,
            timeout=LONG,
            inherit=(self.lock,),
        )


class ConflictError(TrunklineError):
    """A commit does not apply; a person has to fix the files that it names."""

    exit_code = 1

    def __init__(self, paths: list[str]) -> None:
        super().__init__(paths)
        self.paths = paths


def make(place: Place, tag: str, step: Step) -> None:
    """Make the commit of one step.

    Raises ConflictError where git leaves files for a person to fix, and FailedError
    where it fails in another way, such as a hook that says no.
    """
    if step.kind is Kind.PICK:
        pick(place, step)
    elif step.kind is Kind.SECTION:
        _commit_section(place, tag, step)
    else:
        _commit_bump(place, tag, step)


def pick(place: Place, step: Step) -> None:
    """Cherry-pick one commit.

    One whose change turns out to be here already is kept as an empty commit: the next
    backport then knows of it.
    """
    done = place.run(
        "cherry-pick", "-x", "--allow-empty", "--keep-redundant-commits", step.commit
    )
    if done.ok:
        return
    paths = unmerged(place.repository)
    if paths:
        raise ConflictError(paths)
    raise FailedError(f"`git cherry-pick -x {step.commit[:12]}` failed:\n{_said(done)}")


def picking(repository: Repository) -> str | None:
    """Return the commit whose cherry-pick git is in the middle of."""
    answer = repository.run("rev-parse", "-q", "--verify", "CHERRY_PICK_HEAD")
    return answer.text if answer.ok else None


def finish_pick(place: Place) -> None:
    """Commit a cherry-pick whose conflicts a person has resolved and added.

    Raises ConflictError while there are files that are not, also such that were edited
    after they were added.
    """
    repository = place.repository
    left = unmerged(repository) or _paths(repository, "diff", "--name-only", "-z")
    if left:
        raise ConflictError(left)
    # `git cherry-pick --continue` refuses where nothing is left of the change, and
    # takes lines of the message that begin with `#` for comments.
    options = ("-q", "--allow-empty", "--cleanup=whitespace", "-F", "-")
    done = place.run("commit", *options, stdin=_message(repository))
    if not done.ok:
        raise FailedError(f"`git commit` failed:\n{_said(done)}")


def _message(repository: Repository) -> bytes:
    """Return what git has prepared, without the list of conflicts at its end."""
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
    """List the files that a conflict has left."""
    return _paths(repository, "diff", "--name-only", "--diff-filter=U", "-z")


def _paths(repository: Repository, *arguments: str) -> list[str]:
    return [path for path in repository.read(*arguments).split("\0") if path]


def _said(done: Completed) -> str:
    return done.complaint or done.text


def _commit_section(place: Place, tag: str, step: Step) -> None:
    repository = place.repository
    changelog = _with_section(repository, tag, step.commit)
    if changelog is not None:
        message = f"{section_subject(tag)}\n\n{SECTION_BODY}\n"
        _commit_files(place, {CHANGELOG: changelog}, message)


def _with_section(repository: Repository, tag: str, commit: str) -> str | None:
    """Return the trunk's changelog with the section of `tag`; None if it has it."""
    text = head_project(repository).changelog
    section = find_section(project_at(repository, commit).changelog, tag)
    if section is None or find_section(text, tag):
        return None
    return insert_section(text, section)


def _commit_bump(place: Place, tag: str, step: Step) -> None:
    """Commit what the bump changed, as `git cherry-pick -x` would if it could.

    It cannot where the trunk is at an alpha or has a line beside the version's changed.
    """
    repository = place.repository
    project = head_project(repository)
    version = str(Version.from_tag(tag))
    files = bumped(repository, project.document, new=version)
    changelog = _with_section(repository, tag, step.commit)
    if changelog is not None:
        files[CHANGELOG] = changelog
    fields = repository.read(
        "show", "-s", "--format=%an%x00%ae%x00%aI%x00%B", step.commit
    )
    name, email, date, message = fields.split("\0", 3)
    author = {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_AUTHOR_DATE": date,
    }
    origin = f"(cherry picked from commit {step.commit})"
    _commit_files(place, files, f"{message.rstrip()}\n\n{origin}\n", **author)


def bumped(
    repository: Repository, document: Mapping[str, Any], *, new: str
) -> dict[str, str]:
    """Return the files that hold the version as HEAD has them, with `new` in them."""
    table = document["project"]
    # uv writes names in lower case and with hyphens.
    name = str(table["name"]).lower().replace("_", "-").replace(".", "-")
    settings = document.get("tool", {}).get("commitizen", {})
    patterns = version_files(repository.root, settings.get("version_files", []))
    paths = list(dict.fromkeys([PYPROJECT, LOCK, *patterns]))
    found = repository.objects([f"HEAD:{path}" for path in paths])
    written = {}
    for path in paths:
        object_ = found[f"HEAD:{path}"]
        if object_ is None:
            continue
        text = decode_text(object_.content)
        if path == PYPROJECT:
            text = edits.project_before(text, current=new, committed=None)
        elif path == LOCK:
            text = edits.lock_before(text, name=name, current=new, committed=None)
        if path in patterns:
            text = edits.versioned_before(
                text, pattern=patterns[path], current=new, new=str(table["version"])
            )
        written[path] = text
    return written


def _commit_files(
    place: Place, files: Mapping[str, str], message: str, **env: str
) -> None:
    repository = place.repository
    for path, text in files.items():
        content = text.encode("utf-8", "surrogateescape")
        replace_content(repository.root / path, content, staging=repository.staging)
    repository.run("add", "--", *files, check=True)
    done = place.run(
        "commit",
        "-q",
        "-F",
        "-",
        stdin=message.encode("utf-8", "surrogateescape"),
        **env,
    )
    if not done.ok:
        raise FailedError(f"`git commit` failed:\n{_said(done)}")


def touched(repository: Repository, step: Step) -> list[str]:
    """List the files that a step changes, as far as that is known beforehand."""
    shown = ("diff-tree", "-r", "--no-commit-id", "--name-only", "-z")
    return [*_paths(repository, *shown, step.commit), PYPROJECT, LOCK, CHANGELOG]


def clear_traces(repository: Repository, step: Step) -> Path | None:
    """Put back the files that a killed step has left changed and not committed.

    A person may have changed them too, so what was there is kept in git's own folder;
    returns where, None if there was nothing.
    """
    paths = touched(repository, step)
    literal = "--literal-pathspecs"
    others = ("ls-files", "--others", "--exclude-standard", "-z", "--")
    new = _paths(repository, literal, *others, *paths)
    if new:
        repository.run(literal, "add", "--intent-to-add", "--", *new, check=True)
    changes = (literal, "diff", "HEAD", "--binary", "--", *paths)
    patch = repository.run(*changes, check=True).stdout
    if not patch:
        return None
    saved = repository.git_dir / "trunkline" / "saved" / f"{time.time_ns()}.patch"
    replace_content(saved, patch, staging=saved.parent)
    restore(repository, paths)
    return saved


def restore(repository: Repository, paths: Iterable[str]) -> None:
    """Put files back to what HEAD has, and remove those that it does not have."""
    paths = set(paths)
    literal = "--literal-pathspecs"
    listed = (literal, "ls-tree", "-r", "--name-only", "-z", "HEAD", "--", *paths)
    known = _paths(repository, *listed)
    if known:
        to_head = ("restore", "--source=HEAD", "--staged", "--worktree", "--")
        repository.run(literal, *to_head, *known, check=True)
    new = paths.difference(known)
    if new:
        removal = ("rm", "-q", "-f", "--ignore-unmatch", "--")
        repository.run(literal, *removal, *new, check=True)
