"""Gather the state that the rules look at, with few processes and one connection."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from trunkline.errors import UsageError
from trunkline.git import Repository
from trunkline.process import ProcessError
from trunkline.project import head_project
from trunkline.releases.changelog import find_section
from trunkline.releases.journal import read_journal
from trunkline.releases.state import State, TagState
from trunkline.settings import Settings
from trunkline.versions import Version

# Files in git's own folder that say what it is in the middle of.
OPERATIONS = (
    # First, for it may be in the middle of a cherry-pick.
    ("trunkline/backport.json", "backport"),
    ("rebase-merge", "rebase"),
    ("rebase-apply/applying", "am"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)

ONE_VERSION_TAG = ("for-each-ref", "--count=1", "refs/tags/v[0-9]*")


@dataclass(frozen=True, slots=True)
class Coming:
    """What is to be released: the tag, and whether its changelog section is empty."""

    tag: str
    section_empty: bool


@dataclass(frozen=True, slots=True)
class Status:
    """`git status`: the branch, and every changed path with its two letters."""

    branch: str | None
    head: str
    changed: Mapping[str, str]


def gather(
    repository: Repository,
    settings: Settings,
    *,
    status: Status,
    written: Version,
    changelog: str,
    coming: Coming | None = None,
    own: frozenset[str] = frozenset(),
    remote: "RemoteAnswer | None" = None,
) -> State:
    """Look at the repository and its remote.

    `written` is the version that commitizen starts from, `changelog` the path of the
    changelog, `own` the paths whose changes are known to be commitizen's. Pass `remote`
    if it has been asked already.
    """
    project = head_project(repository, changelog)
    names = [project.version.tag, *([coming.tag] if coming else [])]
    remote = remote or ask_remote(repository, settings, status, names)
    current_tag, *next_tag = tag_states(repository, names, remote, status.head)
    cz = project.commitizen
    return State(
        trunk=settings.trunk,
        remote=settings.remote,
        branch=status.branch,
        head=status.head,
        shallow=repository.shallow,
        operation=operation(repository),
        interrupted=interrupted(repository),
        changed=tuple(path for path in status.changed if path not in own),
        identity_problem=identity_problem(repository),
        signing_problem=signing_problem(repository, wanted=bool(cz.get("gpg_sign"))),
        remote_problem=remote.problem,
        remote_missing=remote.missing,
        remote_tip=remote.tip,
        behind=remote.behind,
        ahead=remote.ahead,
        current=project.version,
        written=written,
        current_tag=current_tag,
        recorded=find_section(project.changelog, project.version.tag) is not None,
        any_version_tag=any_version_tag(repository, current_tag),
        keeps_major_zero=bool(cz.get("major_version_zero")),
        next_tag=next_tag[0] if next_tag else None,
        section_empty=coming.section_empty if coming else False,
    )


def tag_states(
    repository: Repository, names: Sequence[str], remote: "RemoteAnswer", head: str
) -> list[TagState]:
    """Look at tags here and on the remote; the first one also by its commit."""
    refs = [f"refs/tags/{name}" for name in names]
    commit = f"{refs[0]}^{{commit}}"
    found = repository.objects([*refs, commit])
    states = [
        TagState(
            name,
            local=local.oid if (local := found[ref]) else None,
            remote=remote.refs.get(ref),
        )
        for name, ref in zip(names, refs, strict=True)
    ]
    target = found[commit]
    if target:
        reached = reaches(repository, target.oid, head)
        states[0] = replace(states[0], commit=target.oid, reached=reached)
    return states


def reaches(repository: Repository, commit: str, head: str) -> bool:
    """Whether `head` contains a release's commit, or a cherry-pick of it.

    `trunkline backport` picks the bump of a hotfix to a trunk that is not past it.
    """
    if repository.is_ancestor(commit, head):
        return True
    picked = f"--grep=(cherry picked from commit {commit})"
    only = ("log", "-1", "--format=%H", "--fixed-strings", picked)
    return bool(repository.read(*only, head, f"^{commit}", "--"))


def any_version_tag(repository: Repository, current: TagState) -> bool:
    """Whether anything has been released; git lists all tags to tell one."""
    return bool(current.local or repository.read(*ONE_VERSION_TAG))


def interrupted(repository: Repository) -> str | None:
    """Return the tag of a release that stopped half-way and left its record."""
    # Inside a release its own record is no sign of an earlier one.
    journal = read_journal(repository.git_dir)
    return journal.tag if journal and "TRUNKLINE_RELEASE" not in os.environ else None


def read_status(repository: Repository) -> Status:
    """Read the branch and what is not committed, new files included."""
    answer = repository.read(
        "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal"
    )
    branch: str | None = None
    head = ""
    changed: dict[str, str] = {}
    fields = iter(answer.split("\0"))
    for field in fields:
        kind, _, rest = field.partition(" ")
        if field.startswith("# branch.oid "):
            head = field.rpartition(" ")[2]
        elif field.startswith("# branch.head "):
            branch = field.removeprefix("# branch.head ")
        elif kind == "1":
            changed[rest.split(" ", 7)[7]] = rest[:2]
        elif kind == "2":
            changed[rest.split(" ", 8)[8]] = rest[:2]
            next(fields)  # the name before the renaming
        elif kind == "u":
            changed[rest.split(" ", 9)[9]] = rest[:2]
        elif kind == "?":
            changed[rest] = "??"
    if head in {"", "(initial)"}:
        raise UsageError("the repository has no commit; expected one to release")
    return Status(None if branch == "(detached)" else branch, head, changed)


def operation(repository: Repository) -> str | None:
    """Name what git is in the middle of."""
    for file, name in OPERATIONS:
        if (repository.git_dir / file).exists():
            return name
    return None


def identity_problem(repository: Repository) -> str | None:
    """Ask git for author and committer as `git commit` will; None if it knows both."""
    for variable in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        answer = repository.run("var", variable)
        if not answer.ok:
            lines = [line for line in answer.complaint.splitlines() if "fatal" in line]
            return lines[0].removeprefix("fatal: ") if lines else "no identity"
    return None


def signing_problem(repository: Repository, *, wanted: bool) -> str | None:
    """Sign an object that nothing refers to, if a release will sign; None if it works.

    Without a key commitizen commits and then cannot tag.
    """
    asked = repository.run(
        "config", "--type=bool", "--get-regexp", r"^(tag|commit)\.gpgsign$"
    )
    if not wanted and not any(
        line.endswith(" true") for line in asked.text.splitlines()
    ):
        return None
    trial = repository.run("commit-tree", "-S", "-m", "signing works", "HEAD^{tree}")
    return None if trial.ok else trial.complaint.splitlines()[-1]


@dataclass(frozen=True, slots=True)
class RemoteAnswer:
    """What the remote has, and how far the branch here is from it."""

    refs: Mapping[str, str]
    problem: str | None = None
    # The repository knows of no remote at all, as a service does that was just made.
    missing: bool = False
    tip: str | None = None
    behind: int = 0
    ahead: int = 0


def ask_remote(
    repository: Repository, settings: Settings, status: Status, tags: Iterable[str]
) -> RemoteAnswer:
    """Ask for branch and tags in one connection; fetch only what is not here."""
    branch = f"refs/heads/{status.branch}"
    asked = [*(f"refs/tags/{tag}" for tag in tags), branch]
    try:
        refs = repository.remote_refs(settings.remote, asked, timeout=settings.timeout)
        tip = refs.get(branch)
        behind, ahead = _distance(repository, settings, branch, tip)
    except ProcessError as error:
        if not repository.read("remote"):
            return RemoteAnswer({}, missing=True)
        said = str(error).splitlines()
        return RemoteAnswer({}, problem=said[0] if said else "no reason given")
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
        name = branch.removeprefix("refs/heads/")
        tracking = f"+{branch}:refs/remotes/{settings.remote}/{name}"
        repository.run(
            "fetch", "-q", "--no-tags", settings.remote, tracking,
            timeout=settings.timeout, check=True,
        )  # fmt: skip
        answer = repository.run(*count, check=True)
    behind, ahead = answer.text.split()
    return int(behind), int(ahead)
