"""`trunkline template new`: make a service, complete and committed, or nothing."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from trunkline import process
from trunkline.addresses import canonical_url, recorded
from trunkline.errors import Refusal, UsageError
from trunkline.folders import require_free, write_folder
from trunkline.git import QUIET
from trunkline.output import say
from trunkline.template.answers import Answers, TemplateRequest
from trunkline.template.manifest import FORMAT, TemplateManifest
from trunkline.template.mirror import Mirror, open_mirror
from trunkline.template.names import require_package, require_title, title_of
from trunkline.template.render import ServiceFile, render, sources


def generate(folder: Path, asked: TemplateRequest) -> int:
    """Make a service in a new folder, as the first commit of its own repository."""
    require_free(folder)
    require_outside(folder)
    mirror = open_mirror(canonical_url(str(asked.source)))
    commit = mirror.commit(asked.version or mirror.newest())
    answers = answered(mirror, commit, folder, asked)
    files = rendered(mirror, commit, answers)
    message = f"feat: begin the service\n\nMade from {mirror.url}, {answers.commit}."
    write_folder(
        folder,
        {path: file.content for path, file in files.items()},
        executable=[path for path, file in files.items() if file.executable],
        finish=lambda beside: begin_repository(beside, message),
    )
    print(f"created {answers.title} in {folder}\n  type next: cd {folder} && make test")
    if mirror.url.startswith("file://"):
        say(
            f"the release tool and updates come from {mirror.url}, which only this "
            "machine can read; once the template has an address for colleagues and "
            "CI, type: uv run trunkline template update --from ADDRESS"
        )
    return 0


def require_outside(folder: Path) -> None:
    """Raise Refusal inside another repository: hooks, tags and updates need their own.

    The nearest folder that exists is asked, because the new one does not yet.
    """
    above = (folder.absolute(), *folder.absolute().parents)
    place = next(path for path in above if path.is_dir())
    found = process.run(["git", "rev-parse", "--show-toplevel"], cwd=place, env=QUIET)
    if found.ok:
        raise Refusal(
            rule="own-repository",
            found=f"{folder} is inside the repository {found.text}",
            expected="a folder outside any repository; the service gets its own, "
            "with its hooks, tags and updates",
            fix=f"the same command with another folder, such as "
            f"{Path(found.text).parent / folder.name}",
        )


def answered(
    mirror: Mirror, commit: str, folder: Path, asked: TemplateRequest
) -> Answers:
    """Answer the template's questions; without a name, the folder's is used."""
    manifest = mirror.manifest(commit)
    name = folder.absolute().name.lower().replace("-", "_")
    package = name if asked.package is None else asked.package
    require_package(package, manifest.package_pattern, manifest.taken)
    title = title_of(package) if asked.title is None else asked.title
    require_title(title)
    left_out = questions_of(manifest, asked.without)
    return Answers(
        package=package,
        title=title,
        source=recorded(mirror.url),
        commit=mirror.describe(commit),
        kept={p.question: p.question not in left_out for p in manifest.parts},
    )


def rendered(
    mirror: Mirror, commit: str, answers: Answers, *, oldest: int = FORMAT
) -> dict[str, ServiceFile]:
    """Render a commit of the template."""
    manifest = mirror.manifest(commit, oldest=oldest)
    contents = mirror.contents(commit, sources(manifest, answers.kept))
    named = replace(answers, commit=mirror.describe(commit), commit_id=commit)
    return render(manifest, named, contents)


def questions_of(manifest: TemplateManifest, names: Sequence[str]) -> list[str]:
    """Look up the questions of parts; raises UsageError for an unknown part."""
    parts = {part.name: part.question for part in manifest.parts}
    if unknown := [name for name in names if name not in parts]:
        raise UsageError(
            f"there is no part {unknown[0]!r}; expected one of {', '.join(parts)}"
        )
    return [parts[name] for name in names]


def begin_repository(folder: Path, message: str) -> None:
    """Commit a service's files as the first commit of a new repository."""

    def git(*arguments: str) -> process.Completed:
        return process.run(["git", *arguments], cwd=folder, env=QUIET)

    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)
    git("init", "--quiet", "--initial-branch=main").required()
    git("add", "--all", "--force").required()
    identity: tuple[str, ...] = ()
    if not git("var", "GIT_AUTHOR_IDENT").ok:
        identity = ("-c", "user.name=trunkline", "-c", "user.email=trunkline@localhost")
        say("git does not know your name; the first commit is by trunkline@localhost")
    git(*identity, "commit", "--quiet", "--no-verify", "--message", message).required()
