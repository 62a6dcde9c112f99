"""`trunkline template new`: make a service, complete and committed, or nothing."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from trunkline import process
from trunkline.errors import UsageError
from trunkline.folders import require_free, write_folder
from trunkline.git import QUIET
from trunkline.output import say
from trunkline.template.answers import Answers
from trunkline.template.manifest import Manifest
from trunkline.template.mirror import Mirror, open_mirror
from trunkline.template.names import require_package, require_title, title_of
from trunkline.template.render import File, render, sources


def generate(
    folder: Path,
    *,
    source: str,
    version: str | None,
    package: str | None,
    title: str | None,
    without: Sequence[str],
) -> int:
    """Make a service in a new folder, as the first commit of a repository."""
    require_free(folder)
    mirror = open_mirror(source)
    commit = mirror.commit(version or mirror.newest())
    answers = answered(mirror, commit, folder, package, title, without=without)
    files = rendered(mirror, commit, answers)
    message = f"feat: begin the service\n\nMade of {source}, {answers.commit}."
    write_folder(
        folder,
        {path: file.content for path, file in files.items()},
        executable=[path for path, file in files.items() if file.executable],
        finish=lambda beside: begin_repository(beside, message),
    )
    print(
        f"{answers.title} is in {folder}\n  type next: cd {folder} && make test",
    )
    return 0


def answered(
    mirror: Mirror,
    commit: str,
    folder: Path,
    package: str | None,
    title: str | None,
    *,
    without: Sequence[str],
) -> Answers:
    """Answer the template's questions; a name that is None comes from the folder's.

    Raises Refusal for a name that is not usable, UsageError for a part that is none.
    """
    manifest = mirror.manifest(commit)
    if package is None:
        package = folder.absolute().name.lower().replace("-", "_")
    require_package(package, manifest.package_pattern, manifest.taken)
    if title is None:
        title = title_of(package)
    require_title(title, manifest.title_pattern)
    return Answers(
        package=package,
        title=title,
        source=mirror.source,
        commit=mirror.describe(commit),
        kept=kept_parts(manifest, without),
    )


def rendered(mirror: Mirror, commit: str, answers: Answers) -> dict[str, File]:
    """Render a commit of the template."""
    manifest = mirror.manifest(commit)
    contents = mirror.contents(commit, sources(manifest, answers.kept))
    named = replace(answers, commit=mirror.describe(commit))
    return render(manifest, named, contents)


def kept_parts(manifest: Manifest, without: Sequence[str]) -> dict[str, bool]:
    """Answer the parts' questions; raises UsageError for a part that is none."""
    names = [part.name for part in manifest.parts]
    if unknown := [name for name in without if name not in names]:
        raise UsageError(
            f"there is no part {unknown[0]!r} to go without; "
            f"expected one of {', '.join(names)}"
        )
    return {part.question: part.name not in without for part in manifest.parts}


def begin_repository(folder: Path, message: str) -> None:
    """Commit a service's files, unless they are part of a repository already."""

    def git(*arguments: str) -> process.Completed:
        return process.run(["git", *arguments], cwd=folder, env=QUIET)

    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)
    if git("rev-parse", "--is-inside-work-tree").text == "true":
        say("this is inside another repository; commit the service there")
        return
    git("init", "--quiet", "--initial-branch=main").required()
    git("add", "--all", "--force").required()
    name: tuple[str, ...] = ()
    if not git("var", "GIT_AUTHOR_IDENT").ok:
        name = ("-c", "user.name=trunkline", "-c", "user.email=trunkline@localhost")
        say("git does not know your name; the first commit is by trunkline@localhost")
    git(*name, "commit", "--quiet", "--no-verify", "--message", message).required()
