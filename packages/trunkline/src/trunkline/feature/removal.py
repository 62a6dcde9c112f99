"""Take a feature out of a service: what the command made and nobody changed."""

import shutil
import sys

from trunkline import process
from trunkline.errors import Refusal
from trunkline.feature import migrations, wiring
from trunkline.feature.names import noun, objection
from trunkline.feature.service import Place
from trunkline.feature.templates import WITH_TABLE, WITHOUT_TABLE, render, tidy
from trunkline.files import replace_content
from trunkline.git import Repository


def remove_feature(
    repository: Repository, place: Place, name: str, *, dry_run: bool
) -> int:
    """Take out the wiring, then unchanged files, last the table; return the exit code.

    So the same command finishes a run that was killed.
    """
    made, changed = survey(place, name)
    step = migrations.of_feature(place, noun(name))
    migration = str(step.relative_to(place.root)) if step else ""
    undone = bool(step) and is_undone_by_deletion(repository, place, name, migration)
    edited = f"src/{place.package}/core/{name}/tables.py" in changed
    if undone:
        (changed if edited else made).append(migration)
    stays = bool(step) and not undone
    drops = bool(stays and made and not edited)
    lines = [f"change {place.wiring}", *(f"delete {path}" for path in made)]
    lines += [f"write  a migration that drops the table; {migration} stays"] * drops
    lines += [f"keep   {path}: edited since it was made" for path in changed]
    print("\n".join(lines))
    if dry_run:
        return 0
    text = wiring.remove(place.text(place.wiring) or "", name)
    wired = tidy(place.root, {place.wiring: text})[place.wiring]
    file = place.root / place.wiring
    replace_content(file, wired.encode(), staging=repository.staging)
    delete(place, made)
    if drops:
        drop_table(place, name)
    then = [f"rm {' '.join(changed)}"] * bool(changed)
    then += [f'make migration m="drop {name}"'] * (stays and edited)
    print("type next:", " && ".join([*then, "make check"]))
    return 0


def survey(place: Place, name: str) -> tuple[list[str], list[str]]:
    """Return a feature's files that are as they were made, and the others.

    Raises Refusal if there is nothing that the command has made.
    """
    expected: dict[str, set[str]] = {}
    if not objection(name, {}, counted=False):
        for kind in (WITH_TABLE, WITHOUT_TABLE):
            files = tidy(place.root, render(kind, noun(name), place.package))
            for path, text in files.items():
                expected.setdefault(path, set()).add(text)
    there = place.files(name)
    made = [path for path in there if place.text(path) in expected.get(path, ())]
    wired = wiring.is_wired(place.text(place.wiring) or "", name)
    left = wired or (expected and migrations.of_feature(place, noun(name)))
    # A killed run may have left the wiring or the migration alone.
    if not any(map(place.text, made)) and (there or not left):
        raise Refusal(
            rule="feature-made",
            found=f"`{name}`, of which no file is as `trunkline feature` makes it",
            expected=f"a feature that it made; there are {', '.join(place.features())}",
            fix=f"git rm -r src/{place.package}/core/{name} tests/core/{name} "
            f'&& make migration m="remove {name}"  (first delete its line in '
            f"{place.wiring})"
            if there
            else "uv run trunkline feature --help",
        )
    return made, [path for path in there if path not in made]


def is_undone_by_deletion(
    repository: Repository, place: Place, name: str, path: str
) -> bool:
    """Whether nothing follows a migration: no other one, no change, no release."""
    made = migrations.as_made(place, noun(name))[path] == place.text(path)
    newest = [each.path for each in migrations.heads(place.versions)]
    # Of all branches: HEAD may have no commit yet.
    added = repository.read(
        "log", "--all", "--format=%H", "--diff-filter=A", "--", path
    )
    tags = [
        repository.read("tag", "--list", "v*", "--contains", commit)
        for commit in added.split()
    ]
    return made and place.root / path in newest and not any(tags)


def delete(place: Place, paths: list[str]) -> None:
    """Delete files, and their folders once they are empty."""
    for path in paths:
        (place.root / path).unlink(missing_ok=True)
    for folder in {(place.root / path).parent for path in paths}:
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        if not any(folder.iterdir()):
            folder.rmdir()


def drop_table(place: Place, name: str) -> None:
    """Let the service compare its tables with the models that are left."""
    before = migrations.migrations(place.versions)
    words = ("-m", place.package, "migration", "-m", f"drop {name}")
    process.run([sys.executable, *words], cwd=place.root, check=True)
    for each in migrations.migrations(place.versions):
        if each not in before:
            written = str(each.path.relative_to(place.root))
            text = tidy(place.root, {written: place.text(written) or ""})[written]
            name = migrations.named_after(before, each.path.name)
            each.path.replace(each.path.with_name(name)).write_text(text, "utf-8")
