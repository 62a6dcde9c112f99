"""A commit as it is built: its files as committed, and its description."""

import ast
import re
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from trunkline.errors import FailedError, Refusal
from trunkline.gates.flags import read_flags
from trunkline.git import Repository
from trunkline.images.labels import Source, flags_label, public_url
from trunkline.project import Project
from trunkline.registry.manifests import canonical

# How each file that Git LFS holds elsewhere begins.
POINTER = b"version https://git-lfs.github.com/spec/"
LONGEST_POINTER = 1024


def export(repository: Repository, commit: str, folder: Path) -> Path:
    """Write a commit's files, and no others, into a new folder."""
    archive = folder / "source.tar"
    # The umask of the user must not change a file's mode.
    command = ("-c", "tar.umask=0022", "archive", f"--output={archive}", commit)
    repository.run(*command, timeout=300, check=True)
    root = folder / "source"
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(root, filter="tar")
    except (tarfile.TarError, OSError) as error:
        raise FailedError(f"{commit[:12]} cannot be exported: {error}") from error
    finally:
        archive.unlink(missing_ok=True)
    require_files(root)
    return root


def require_files(root: Path) -> None:
    """Refuse Git LFS's pointers: an image would hold them in place of the files."""
    pointers = [
        str(file.relative_to(root))
        for file in sorted(root.rglob("*"))
        if file.is_file()
        and not file.is_symlink()
        and file.stat().st_size < LONGEST_POINTER
        and file.read_bytes().startswith(POINTER)
    ]
    if pointers:
        names = " ".join(pointers)
        raise Refusal(
            rule="lfs",
            found=f"pointers of Git LFS in place of files: {', '.join(pointers)}",
            expected="the files themselves, because only what git holds is built",
            fix=f"git lfs untrack {names} && git add --renormalize {names} && "
            'git commit -m "build: keep in git what the image holds" && git push',
        )


def describe(
    repository: Repository, commit: str, *, project: Project, branch: str, root: Path
) -> Source:
    """Gather what the image says about its commit; `root` has the commit's files."""
    settings = project.settings
    seconds, subject, author = repository.read(
        "log", "-1", "--format=%ct%x00%s%x00%an", commit
    ).split("\0", 2)
    created = datetime.fromtimestamp(int(seconds), UTC)
    flags = read_flags(root, settings.flags) if settings.flags else []
    heads = revision_heads(root / settings.migrations) if settings.migrations else []
    remote = repository.run("remote", "get-url", settings.remote)
    return Source(
        commit=commit,
        created=created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        subject=subject,
        author=author,
        branch=branch,
        version=str(project.version),
        title=str(project.document.get("project", {}).get("name", "")),
        url=public_url(remote.text) if remote.ok else "",
        flags=flags_label(flags),
        migrations=canonical(heads).decode(),
    )


def base_images(dockerfile: str, arguments: Mapping[str, str]) -> tuple[str, ...]:
    """Return the base images that a Dockerfile pins, where no argument replaces them.

    `ARG X=pinned-x` with `FROM IMAGE AS pinned-x` is the form that Dependabot updates.
    """
    given = [image for image in arguments.values() if "@sha256:" in image]
    pins = pinned_images(dockerfile)
    used = [image for name, image in pins.items() if not arguments.get(name)]
    return (*given, *used)


def pinned_images(dockerfile: str) -> dict[str, str]:
    """Return the base images that a Dockerfile pins, by the argument for each."""
    stages = re.findall(r"^FROM (\S+@sha256:\w+) AS (\S+)$", dockerfile, re.MULTILINE)
    images = {stage: image for image, stage in stages}
    defaults = re.findall(r"^ARG (\w+)=(\S+)$", dockerfile, re.MULTILINE)
    return {name: images[stage] for name, stage in defaults if stage in images}


def revision_heads(folder: Path) -> list[str]:
    """Return the heads of Alembic's revisions in a folder."""
    parents = {}
    for file in sorted(folder.glob("*.py")):
        names = _constants(file.read_text(encoding="utf-8"))
        below = names.get("down_revision")
        parents[names.get("revision")] = (
            {below} if isinstance(below, str) else set(below or ())
        )
    built_upon = {parent for below in parents.values() for parent in below}
    return sorted(str(name) for name in parents if name and name not in built_upon)


def _constants(source: str) -> Mapping[str, str | tuple[str, ...] | None]:
    """Evaluate the constants that a module assigns at its top level."""
    found = {}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
        elif isinstance(statement, ast.AnnAssign):
            target = statement.target
        else:
            continue
        if isinstance(target, ast.Name) and isinstance(statement.value, ast.expr):
            try:
                found[target.id] = ast.literal_eval(statement.value)
            except ValueError:
                continue
    return found
