"""Find what a release left half-made, and put the clone back to where it started."""

from dataclasses import dataclass
from pathlib import Path

from trunkline.errors import UsageError
from trunkline.files import decode_text, replace_content
from trunkline.git import Repository
from trunkline.locks import remove_stale_git_locks
from trunkline.project import (
    CHANGELOG,
    PYPROJECT,
    Project,
    head_project,
    parse_project,
    project_at,
    version_of,
)
from trunkline.releases.bumpfiles import EditedFile, edited_files, put_back, save
from trunkline.releases.commitizen import is_bump_subject
from trunkline.releases.journal import (
    Journal,
    clear_journal,
    read_journal,
    write_journal,
)
from trunkline.releases.plan import BumpCommit
from trunkline.releases.state import State
from trunkline.releases.survey import RemoteAnswer, ask_remote, gather, read_status
from trunkline.settings import Settings
from trunkline.versions import Version

# The bump commit is the last or the last but few that touched pyproject.toml.
DEPTH = 10


@dataclass(frozen=True, slots=True)
class Leftover:
    """The state of HEAD before a release, and the traces of an earlier run."""

    state: State
    remote: RemoteAnswer
    project: Project
    journal: Journal | None
    bump: BumpCommit | None


def find_leftover(repository: Repository, settings: Settings) -> Leftover:
    """Look at the repository, its remote, and the record of an earlier run."""
    journal = read_journal(repository.git_dir)
    project = head_project(repository)
    status = read_status(repository)
    remote = ask_remote(repository, settings, status, ["v*"])
    state = gather(
        repository,
        settings,
        status=status,
        written=written_version(repository.root, project.version),
        changelog=CHANGELOG,
        remote=remote,
    )
    tag = state.current_tag
    # Looking for the commit walks the history, so a settled release is spared it.
    settled = tag.local and tag.local == tag.remote and not state.ahead
    bump = find_bump(repository, project, state) if journal or not settled else None
    return Leftover(state, remote, project, journal, bump)


def remove_stale_locks(repository: Repository) -> None:
    """Remove what a git that was killed with its release has left locked."""
    journal = read_journal(repository.git_dir)
    if journal:
        remove_stale_git_locks(_git_locks(repository, journal), repository.root)


def written_version(root: Path, committed: Version) -> Version:
    """Return the version in the work tree; the committed one if it cannot be read."""
    try:
        return version_of(parse_project((root / PYPROJECT).read_bytes()))
    except (OSError, UsageError):
        return committed  # The file is damaged and counts as changed.


def _git_locks(repository: Repository, journal: Journal) -> list[Path]:
    own = [repository.git_dir / name for name in ("index.lock", "HEAD.lock")]
    shared = [
        repository.common_dir / f"{name}.lock"
        for name in (
            f"refs/heads/{journal.branch}",
            f"refs/tags/{journal.tag}",
            "packed-refs",
            "config",
        )
    ]
    remotes = (repository.common_dir / "refs/remotes").glob(f"*/{journal.branch}.lock")
    return [*own, *shared, *remotes]


def find_bump(
    repository: Repository, project: Project, state: State
) -> BumpCommit | None:
    """Find the commit that set the version of HEAD, if `cz bump` made it."""
    lines = repository.read(
        "log",
        "-n",
        str(DEPTH),
        "--first-parent",
        "--format=%H%x00%P%x00%s",
        "HEAD",
        "--",
        "pyproject.toml",
    ).splitlines()
    for line in lines:
        oid, parents, subject = line.split("\0")
        if not is_bump_subject(
            subject, new=str(state.current), settings=project.commitizen
        ):
            continue
        if not parents or " " in parents:
            return None
        published = state.remote_tip is not None and repository.is_ancestor(
            oid, state.remote_tip
        )
        previous = str(project_at(repository, parents).version)
        return BumpCommit(oid, parents, previous, published)
    return None


def make_tag(repository: Repository, project: Project, tag: str, commit: str) -> None:
    """Make the tag that `cz bump` would have made."""
    cz = project.commitizen
    kind = "-s" if cz.get("gpg_sign") else "-a"
    message = str(cz.get("annotated_tag_message") or tag)
    repository.run("tag", kind, tag, "-m", message, commit, check=True)


def undo(
    repository: Repository, journal: Journal, *, remote_tag: str | None = None
) -> list[str]:
    """Take back tag, commit and edits of a release that did not reach the remote.

    Each part may be missing, and a crash between two of them leaves what a second call
    ends. A tag that is the remote's `remote_tag` stays. Returns one line for each thing
    that was done.
    """
    write_journal(repository.git_dir, journal)
    ref = f"refs/tags/{journal.tag}"
    found = repository.objects([ref, "HEAD", "HEAD^"])
    done = []
    tag, head, parent = found.values()
    if tag and tag.oid != remote_tag:
        repository.run("update-ref", "-d", ref, tag.oid, check=True)
        done.append(f"tag {journal.tag}: deleted here, it was never pushed")
    # Somebody may have committed in the meantime; that commit holds another version.
    bumped = head_project(repository).version.tag == journal.tag
    if bumped and head and parent and parent.oid == journal.start:
        reason = f"trunkline: take back {journal.tag}"
        repository.run(
            "update-ref", "-m", reason, "HEAD", journal.start, head.oid, check=True
        )
        done.append(f"{journal.branch}: back at {journal.start[:12]}")
    done += restore_files(repository, journal)
    clear_journal(repository.git_dir)
    return done


def restore_files(repository: Repository, journal: Journal) -> list[str]:
    """Put the files of a bump back to HEAD, in the index and in the work tree."""
    document = head_project(repository).document

    def look() -> list[EditedFile]:
        return edited_files(repository, journal.bump, document)

    paths = [file.path for file in look()]
    if paths:
        repository.run("reset", "-q", "--", *paths, check=True)
    saved = [line for file in look() if (line := _save_damaged(repository, file))]
    return saved + put_back(repository, look())


def _save_damaged(repository: Repository, file: EditedFile) -> str:
    """Restore a file that commitizen was killed in the middle of writing.

    The damage is told by the end of the committed file, which is missing. What was
    there is kept in git's own folder, in case a person has made it so.
    """
    if file.committed or file.before is None:
        return ""
    shown = repository.run("cat-file", "--filters", f"HEAD:{file.path}")
    last = decode_text(shown.stdout).rstrip().rpartition("\n")[2]
    if not shown.ok or last in file.before.split("\n"):
        return ""
    saved = save(repository, file.path)
    path = repository.root / file.path
    replace_content(path, shown.stdout, staging=repository.staging)
    return f"{file.path}: was cut off, is as committed; what was there: {saved}"
