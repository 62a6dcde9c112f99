"""Gather the state that the rules look at, with few processes and one connection."""

import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from trunkline.errors import FailedError, Refusal, UsageError
from trunkline.git import HEADS, TAGS, Repository
from trunkline.process import ProcessError
from trunkline.project import (
    LOCK,
    NO_COMMIT,
    PYPROJECT,
    Project,
    head_project,
    parse_project,
    project_at,
)
from trunkline.releases.changelog import find_section, sections
from trunkline.releases.journal import BACKPORT, RELEASE, read_journal
from trunkline.releases.state import (
    SUBMODULE,
    Coming,
    RemoteAnswer,
    State,
    Status,
    TagState,
)
from trunkline.settings import Settings
from trunkline.versions import Version

# Files in git's own folder that show which operation is in progress.
OPERATIONS = (
    # First, because it may be in the middle of a cherry-pick.
    (BACKPORT, "backport"),
    ("rebase-merge", "rebase"),
    ("rebase-apply/applying", "am"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)


def gather(
    repository: Repository,
    status: Status,
    *,
    written: Version | None = None,
    coming: tuple[str, str] | None = None,
    remote: RemoteAnswer | None = None,
) -> State:
    """Look at the repository and its remote, whose answer `remote` may be already.

    `written` is commitizen's version; `coming` the next tag and its section's text.
    """
    project = head_project(repository)
    settings, cz, version = project.settings, project.commitizen, project.version
    names = [version.tag, *([coming[0]] if coming else [])]
    there = remote or ask_remote(repository, settings, status, names)
    current_tag, *next_tag = tag_states(repository, names, there, status.head)
    return State(
        trunk=settings.trunk,
        remote=settings.remote,
        here=status,
        there=there,
        shallow=repository.shallow,
        operation=operation(repository),
        lock=lock_file(repository, status, names),
        interrupted=interrupted(repository),
        identity_problem=identity_problem(repository),
        signing_problem=signing_problem(repository, wanted=bool(cz.get("gpg_sign"))),
        current=version,
        written=written or written_version(repository.root, version),
        current_tag=current_tag,
        recorded=find_section(project.changelog, version.tag) is not None,
        any_version_tag=any_version_tag(repository, current_tag),
        stray_tag=stray_tag(repository, current_tag, there),
        tracked=tracked_remote(repository, project, status),
        keeps_major_zero=bool(cz.get("major_version_zero")),
        coming=coming and Coming(next_tag[0], find_section(coming[1], coming[0])),
        unwatched=unwatched(repository, (PYPROJECT, LOCK, project.changelog_file)),
        planned=planned(repository, project),
    )


def unwatched(repository: Repository, files: Sequence[str]) -> tuple[str, ...]:
    """List files in which git is told to see no changes, with its letter for each."""
    listed = repository.names("ls-files", "-v", "-z", "--", *files)
    return tuple(row for row in listed if row[0] in "hsS")


def planned(repository: Repository, project: Project) -> tuple[str, str] | None:
    """Find a version that people have written above the last release."""
    names = (it.version for it in sections(project.changelog))
    first = next(filter(None, names), None)
    if first in {None, project.version} or repository.refs(f"{TAGS}{first.tag}"):
        return None
    return str(first), project.changelog_file


def written_version(root: Path, committed: Version) -> Version:
    """Return the working tree's version; the committed one if it is unreadable."""
    try:
        return Project(parse_project((root / PYPROJECT).read_bytes())).version
    except (OSError, UsageError):
        return committed  # The file is damaged and counts as changed.


def tag_states(
    repository: Repository, names: Sequence[str], remote: RemoteAnswer, head: str
) -> list[TagState]:
    """Look at tags here and on the remote, and at their commits."""
    refs = [f"{TAGS}{name}" for name in names]
    found = repository.objects([*refs, *(f"{ref}^{{commit}}" for ref in refs)])
    states = []
    for name, ref in zip(names, refs, strict=True):
        local, target = found[ref], found[f"{ref}^{{commit}}"]
        states.append(
            TagState(
                name,
                local=local.oid if local else None,
                remote=remote.refs.get(ref),
                commit=target.oid if target else None,
                reached=bool(target and reaches(repository, target.oid, head)),
            )
        )
    return states


def reaches(repository: Repository, commit: str, head: str) -> bool:
    """Whether `head` contains a release's commit, or a cherry-pick of it.

    `trunkline backport` picks the bump of a hotfix to a trunk that is behind it.
    """
    if repository.is_ancestor(commit, head):
        return True
    picked = f"--grep=(cherry picked from commit {commit})"
    only = ("log", "-1", "--format=%H", "--fixed-strings", picked)
    return bool(repository.read(*only, head, f"^{commit}", "--"))


def any_version_tag(repository: Repository, current: TagState) -> bool:
    """Whether anything has been released; git reads all tags to find one."""
    one = ("for-each-ref", "--count=1", f"{TAGS}v[0-9]*")
    return bool(current.local or repository.read(*one))


def stray_tag(
    repository: Repository, current: TagState, remote: RemoteAnswer
) -> TagState | None:
    """Find a version tag between the current one and HEAD, such as `v1.2`."""
    if not current.reached:
        return None
    nearest = ("describe", "--tags", "--abbrev=0", "--match=v[0-9]*", "HEAD")
    name = repository.run(*nearest).text
    stray, known = f"{TAGS}{name}", f"{TAGS}{current.name}"
    if not name or stray == known or repository.is_ancestor(stray, known):
        return None
    # The bump of an alpha is not stray: a backported hotfix may have followed it.
    if project_at(repository, stray).readable_version == Version.from_tag(name):
        return None
    return TagState(name, local=name, remote=remote.refs.get(stray))


def tracked_remote(
    repository: Repository, project: Project, status: Status
) -> str | None:
    """Return the remote that the branch tracks, unless the project names one."""
    if "remote" in project.document.get("tool", {}).get("trunkline", {}):
        return None
    return repository.run("config", f"branch.{status.branch}.remote").text or None


def interrupted(repository: Repository) -> str | None:
    """Return the tag of a release that stopped halfway and left its record."""
    # Inside a release, its own record does not stand for an earlier one.
    journal = read_journal(repository.git_dir / RELEASE)
    return journal.tag if journal and "TRUNKLINE_RELEASE" not in os.environ else None


def read_status(repository: Repository) -> Status:
    """Read the branch and what is not committed, new files included."""
    done = repository.run(
        "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal",
        "--ignore-submodules=dirty",
    )  # fmt: skip
    if not done.ok:
        index = shlex.quote(str(repository.git_dir / "index"))
        fix = f"rm {index} && git reset" if "index" in done.complaint else "git status"
        raise FailedError(
            f"git cannot compare the working tree with HEAD: {done.complaint}\n"
            f"  type next: {fix}"
        )
    branch: str | None = None
    head = ""
    changed: list[str] = []
    # How many fields come before the path, by the kind of the entry.
    before = {"1": 8, "2": 9, "u": 10, "?": 1}
    fields = iter(done.text.split("\0"))
    for entry in fields:
        kind = entry.partition(" ")[0]
        if entry.startswith("# branch.oid "):
            head = entry.rpartition(" ")[2]
        elif entry.startswith("# branch.head "):
            branch = entry.removeprefix("# branch.head ")
        elif kind in before:
            of_submodule = entry.startswith(("S"), len("1 .M "))
            name = entry.split(" ", before[kind])[-1]
            changed.append(name + SUBMODULE * of_submodule)
            if kind == "2":
                next(fields)  # The name before it was renamed.
    if head in {"", "(initial)"}:
        raise UsageError(NO_COMMIT)
    return Status(None if branch == "(detached)" else branch, head, tuple(changed))


def operation(repository: Repository) -> str | None:
    """Name the git operation in progress."""
    for file, name in OPERATIONS:
        if (repository.git_dir / file).exists():
            return name
    return None


def lock_file(
    repository: Repository, status: Status, tags: Iterable[str]
) -> str | None:
    """Find a lock file of git that would keep a release from its commit or its tag."""
    refs = (f"{HEADS}{status.branch}", *(f"{TAGS}{tag}" for tag in tags))
    own = [repository.git_dir / name for name in ("index", "HEAD")]
    shared = [repository.common_dir / name for name in ("packed-refs", *refs)]
    locks = (it.with_name(f"{it.name}.lock") for it in (*own, *shared))
    return next((str(it) for it in locks if it.exists()), None)


def identity_problem(repository: Repository) -> str | None:
    """Ask git for author and committer as `git commit` will; None if it knows both."""
    for variable in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        answer = repository.run("var", variable)
        if not answer.ok:
            lines = [line for line in answer.complaint.splitlines() if "fatal" in line]
            return lines[0].removeprefix("fatal: ") if lines else "no identity"
    return None


def signing_problem(repository: Repository, *, wanted: bool) -> str | None:
    """Sign an unreferenced object if a release will sign; None if that works.

    Without a key commitizen commits and then fails to tag.
    """
    setting = ("config", "--type=bool", "--get-regexp", r"^(tag|commit)\.gpgsign$")
    lines = repository.run(*setting).text.splitlines()
    if not wanted and not any(line.endswith(" true") for line in lines):
        return None
    trial = repository.run("commit-tree", "-S", "-m", "signing works", "HEAD^{tree}")
    return None if trial.ok else trial.complaint.splitlines()[-1]


def ask_remote(
    repository: Repository, settings: Settings, status: Status, tags: Iterable[str]
) -> RemoteAnswer:
    """Ask for branch and tags in one connection; fetch only what is not here."""
    branch = f"{HEADS}{status.branch}"
    asked = [*(f"{TAGS}{tag}" for tag in tags), branch]
    try:
        refs = repository.remote_refs(settings, asked)
        tip = refs.get(branch)
        behind, ahead = _distance(repository, settings, branch, tip)
    except (ProcessError, Refusal) as error:
        remotes = repository.read("remote").split()
        if settings.remote not in remotes:
            problem = "there is no remote of this name" if remotes else None
            return RemoteAnswer(
                problem=problem, missing=not remotes, others=tuple(remotes)
            )
        said = error.found if isinstance(error, Refusal) else str(error)
        return RemoteAnswer(problem=said.splitlines()[0])
    return RemoteAnswer(refs, tip=tip, behind=behind, ahead=ahead)


def _distance(
    repository: Repository, settings: Settings, branch: str, tip: str | None
) -> tuple[int, int]:
    """Count the commits that only the remote has, and those that only HEAD has."""
    if tip is None:
        return 0, 0
    count = ("rev-list", "--left-right", "--count", f"{tip}...HEAD")
    answer = repository.run(*count)
    if not answer.ok:
        name = branch.removeprefix(HEADS)
        tracking = f"+{branch}:refs/remotes/{settings.remote}/{name}"
        repository.fetch(settings, [tracking])
        answer = repository.run(*count, check=True)
    behind, ahead = answer.text.split()
    return int(behind), int(ahead)
