"""Commits of a range and the versions in a history, read from git."""

from dataclasses import dataclass

from trunkline.errors import Refusal, UsageError
from trunkline.git import Repository
from trunkline.versions import Version

# Hash, author, date, subject, body; no message can hold a NUL.
_FORMAT = "--format=%H%x00%an%x00%aI%x00%s%x00%b"
_FIELDS = 5
LONG = 600


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit; `date` is the author's, by ISO 8601."""

    hash: str
    author: str
    date: str
    subject: str
    body: str

    @property
    def message(self) -> str:
        """The message as commitizen puts it together from subject and body."""
        return f"{self.subject}\n\n{self.body}".strip()


def read_commits(
    repository: Repository, *revisions: str, limit: int | None = None
) -> list[Commit]:
    """List commits, the newest first, none before a commit that follows it.

    `revisions` are hashes, `^hash` for what to leave out; resolve names first.
    """
    most = () if limit is None else (f"--max-count={limit}",)
    answer = repository.run(
        "log", "-z", "--topo-order", "--no-show-signature", "--no-color",
        "--encoding=UTF-8", _FORMAT, *most, "--end-of-options", *revisions, "--",
        timeout=LONG, check=True,
    )  # fmt: skip
    fields = answer.stdout.decode("utf-8", "replace").split("\0")[:-1]
    return [
        Commit(*(text.strip() for text in fields[start : start + _FIELDS]))
        for start in range(0, len(fields), _FIELDS)
    ]


def resolve(repository: Repository, name: str) -> str:
    """Return the hash of a commit; raises UsageError where `name` names none."""
    answer = repository.run(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
    )
    if not answer.ok:
        raise UsageError(
            f"`{name}` names no commit here; expected a branch, a tag or a hash "
            "(`git fetch origin` brings those of the remote)"
        )
    return answer.text


def resolve_range(repository: Repository, text: str) -> tuple[str, str]:
    """Return both ends of `A..B` as hashes; an end that is left out is HEAD.

    Raises UsageError on anything else, and Refusal where a shallow clone does not hold
    the commits between them.
    """
    start, dots, end = text.partition("..")
    if not dots or end.startswith("."):
        raise UsageError(f"`{text}` is no range; expected one like main..HEAD")
    ends = resolve(repository, start or "HEAD"), resolve(repository, end or "HEAD")
    if repository.shallow and not repository.run("merge-base", *ends).ok:
        raise Refusal(
            rule="shallow",
            found=f"a shallow clone, which lacks commits of {text}",
            expected="the whole history between the two",
            fix="git fetch --unshallow --tags",
        )
    return ends


@dataclass(frozen=True, slots=True)
class Range:
    """The commits that `end` contains and `start` does not.

    `start` is None where everything before `end` counts. The names are for people.
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
    """Return what a version brings; None stands for what HEAD has and no release.

    The previous version is looked for among the ancestors, not by date or by number:
    lines of releases run side by side, and tags may be of the same second.
    """
    name = f"refs/tags/{version.tag}" if version else "HEAD"
    end = resolve(repository, name)
    reachable = reachable_versions(repository, end)
    before = previous_version(reachable, version)
    end_name = version.tag if version else "HEAD"
    if before is None:
        return Range(None, end, "the first commit", end_name)
    start = resolve(repository, f"refs/tags/{before.tag}")
    return Range(start, end, before.tag, end_name)


def reachable_versions(repository: Repository, commit: str) -> list[Version]:
    """List the versions whose tags `commit` contains, in order."""
    names = repository.read(
        "for-each-ref",
        f"--merged={commit}",
        "--format=%(refname:lstrip=2)",
        "refs/tags/v[0-9]*",
    ).splitlines()
    return sorted(version for name in names if (version := Version.from_tag(name)))


def previous_version(
    reachable: list[Version], version: Version | None
) -> Version | None:
    """Choose where the notes of a version start; None for the first release.

    A stable release tells everything since the stable one before it, for its changelog
    section takes in those of its prereleases; so will the next, for which `version` is
    None. A prerelease tells what is new since whatever was before it.
    """
    stable_only = version is None or version.stable
    before = (
        other
        for other in reachable
        if (version is None or other < version) and (other.stable or not stable_only)
    )
    return max(before, default=None)
