"""Commits of a range and the versions in a history, read from git."""

from dataclasses import dataclass

from trunkline.errors import Refusal, UsageError
from trunkline.git import HEADS, Repository, lines
from trunkline.settings import read_settings
from trunkline.versions import Version

# Hash, author, date, subject, body; a message cannot contain NUL.
_FORMAT = "--format=%H%x00%an%x00%aI%x00%s%x00%b"
_FIELDS = 5
LONG = 600


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit; `date` is the author date in ISO 8601."""

    hash: str
    author: str
    date: str
    subject: str
    body: str

    @property
    def message(self) -> str:
        """Subject and body, joined as commitizen joins them."""
        return f"{self.subject}\n\n{self.body}".strip()


def read_commits(
    repository: Repository, *revisions: str, only: str = "--max-count=-1"
) -> list[Commit]:
    """List commits, newest first, children before parents.

    `revisions` are hashes, or `^hash` to exclude; resolve names first. `only` is an
    option of `git log` that selects some of the commits.
    """
    answer = repository.run(
        "log", "-z", "--topo-order", _FORMAT, only,
        "--end-of-options", *revisions, "--",
        timeout=LONG, check=True,
    )  # fmt: skip
    fields = answer.stdout.decode("utf-8", "replace").split("\0")[:-1]
    return [
        Commit(*(text.strip() for text in fields[start : start + _FIELDS]))
        for start in range(0, len(fields), _FIELDS)
    ]


def changed_paths(repository: Repository, *revisions: str) -> dict[str, list[str]]:
    """Return the files that each commit changed, by its hash."""
    answer = repository.run(
        "log", "-z", "--format=%x00%H", "--name-only",
        "--no-renames", "--end-of-options", *revisions, "--",
        timeout=LONG, check=True,
    )  # fmt: skip
    blocks = answer.text.strip("\0").split("\0\0")
    # git puts a line end between the hash and the first path.
    rows = (block.replace("\0\n", "\0", 1).split("\0") for block in blocks)
    return {commit: paths for commit, *paths in rows}


def resolve(repository: Repository, name: str) -> str:
    """Return the hash of a commit; raises UsageError if there is none of this name."""
    if commit := repository.find_commit(name):
        return commit
    raise UsageError(
        f"`{name}` is not a commit here; expected a branch, a tag or a hash "
        "(`git fetch origin` fetches those of the remote)"
    )


def resolve_range(repository: Repository, text: str) -> tuple[str, str]:
    """Return both ends of `A..B` as hashes; a missing end is HEAD."""
    start, dots, end = text.partition("..")
    if not dots or end.startswith("."):
        raise UsageError(f"`{text}` is not a range; expected one like main..HEAD")
    ends = resolve(repository, start or "HEAD"), resolve(repository, end or "HEAD")
    if repository.shallow and not repository.run("merge-base", *ends).ok:
        raise Refusal(
            rule="shallow",
            found=f"a shallow clone, which lacks commits of {text}",
            expected="the whole history between the two",
            fix="git fetch --unshallow --tags",
        )
    return ends


def own_commits(repository: Repository) -> str:
    """Name the range of HEAD's commits that the trunk does not contain."""
    settings = read_settings(repository.root / "pyproject.toml")
    names = {
        f"refs/remotes/{settings.remote}/{settings.trunk}",
        f"{HEADS}{settings.trunk}",
    }
    here = sorted(repository.refs(*names), reverse=True)  # The remote's first.
    if not here:
        raise UsageError(
            f"neither {settings.remote}/{settings.trunk} nor {settings.trunk} is here; "
            "expected --range A..B, or "
            f"`git fetch {settings.remote} {settings.trunk}` before"
        )
    return f"{here[0]}..HEAD"


@dataclass(frozen=True, slots=True)
class Range:
    """The commits that `end` contains and `start` does not.

    `start` is None if everything before `end` counts. The names are for people.
    """

    start: str | None
    end: str
    start_name: str
    end_name: str

    @property
    def revisions(self) -> tuple[str, ...]:
        """The range as arguments of `git log`."""
        return (f"^{self.start}", self.end) if self.start else (self.end,)

    @property
    def name(self) -> str:
        """The range as a person would type it."""
        return f"{self.start_name}..{self.end_name}"


def release_range(repository: Repository, version: Version | None) -> Range:
    """Return the commits of a version; None stands for what is not released yet.

    The previous version is found among the ancestors, not by date or by number:
    release lines run in parallel, and tags may carry the same second.
    """
    end = resolve(repository, f"refs/tags/{version.tag}" if version else "HEAD")
    merged = ("for-each-ref", f"--merged={end}", "--format=%(refname:lstrip=2)")
    names = lines(repository.read(*merged, "refs/tags/v[0-9]*"))
    reachable = sorted(it for name in names if (it := Version.from_tag(name)))
    before = previous_version(reachable, version)
    end_name = version.tag if version else "HEAD"
    if before is None:
        return Range(None, end, "the first commit", end_name)
    start = resolve(repository, f"refs/tags/{before.tag}")
    return Range(start, end, before.tag, end_name)


def previous_version(
    reachable: list[Version], version: Version | None
) -> Version | None:
    """Choose where the notes of a version start; None for the first release.

    The notes of a stable release cover everything since the previous stable one,
    because its changelog section merges those of its prereleases. `version` None stands
    for the next stable release. A prerelease covers what is new since the version
    before it.
    """
    stable_only = version is None or version.stable
    before = (
        other
        for other in reachable
        if (version is None or other < version) and (other.stable or not stable_only)
    )
    return max(before, default=None)
