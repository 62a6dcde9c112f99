"""How uv.lock changes in a service: blocks that are dropped or written differently."""

import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from trunkline.errors import FailedError
from trunkline.process import Completed, uv
from trunkline.template.answers import Answers
from trunkline.template.manifest import PATH, LockChanges, TemplateManifest, lock_key
from trunkline.template.render import (
    BLOCK,
    TOOL,
    as_git_dependency,
    dependency_words,
    render,
    sources,
)

from machinery.snapshot import snapshot

# The template's own names, and an address that nobody can read.
SAME = {
    "package": "my_app",
    "title": "My App",
    "source": "https://template.invalid/template.git",
    "commit": "",
    "commit_id": "0" * 40,
}


def choices(manifest: TemplateManifest) -> Iterator[dict[str, bool]]:
    """Yield every combination of optional parts, the whole of it first."""
    questions = [part.question for part in manifest.parts]
    for number in range(len(questions) + 1):
        for gone in combinations(questions, number):
            yield {question: question not in gone for question in questions}


def locks_of(root: Path, manifest: TemplateManifest) -> dict[str, LockChanges]:
    """Ask uv for the lock file of every combination of parts."""
    locks = {}
    old = (root / "uv.lock").read_text(encoding="utf-8")
    with snapshot(root) as (url, commit):
        place = {**SAME, "source": url, "commit_id": commit}
        for kept in choices(manifest):
            with tempfile.TemporaryDirectory() as folder:
                _lay_out(root, manifest, Answers(**place, kept=kept), Path(folder))
                shutil.copy(root / "uv.lock", folder)
                _lock(Path(folder)).required()
                new = (Path(folder) / "uv.lock").read_text(encoding="utf-8")
            words = dependency_words(url, "", commit)
            for word in ("git", "query", "commit"):
                new = new.replace(words[word], f"TRUNKLINE_{word.upper()}")
            locks[lock_key(manifest.left_out(kept))] = difference(old, new)
    return locks


def difference(old: str, new: str) -> LockChanges:
    """Say how to turn the old lock file into the new; FailedError if it adds any."""
    before, after = _blocks(old), _blocks(new)
    if added := after.keys() - before.keys():
        raise FailedError(f"a service would also lock {', '.join(sorted(added))}")
    before[TOOL] = as_git_dependency(before[TOOL])
    changed = {
        name: block
        for name, block in after.items()
        if name != "my-app" and before[name] != block
    }
    return LockChanges(
        dropped=frozenset(before.keys() - after.keys() | {"my-app"}),
        project=after["my-app"],
        changed=changed,
    )


def lock_problems(root: Path, manifest: TemplateManifest) -> list[str]:
    """Have uv check, offline, the lock file of every combination of parts."""
    found = []
    for kept in choices(manifest):
        left_out = manifest.left_out(kept)
        place = f"uv.lock without {', '.join(left_out)}"
        if lock_key(left_out) not in manifest.locks:
            found.append(f"{place} is not in {PATH}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            _lay_out(
                root, manifest, Answers(**SAME, kept=kept), Path(folder), lock=True
            )
            done = _lock(Path(folder), "--check", "--offline")
            lock = (Path(folder) / "uv.lock").read_text(encoding="utf-8")
        if not done.ok:
            found.append(f"{place}: {done.complaint}")
        if unneeded := unreachable(tomllib.loads(lock)):
            found.append(f"{place}: nothing needs {', '.join(sorted(unneeded))}")
    return found


def unreachable(lock: Mapping[str, Any]) -> set[str]:
    """List packages that the service does not need."""
    needs: dict[str, set[str]] = {}
    for row in lock["package"]:
        groups = [
            row.get("dependencies", []),
            *row.get("optional-dependencies", {}).values(),
            *row.get("dev-dependencies", {}).values(),
        ]
        names = {need["name"] for group in groups for need in group}
        needs.setdefault(row["name"], set()).update(names)
    open_, reached = {"my-app"}, set[str]()
    while open_:
        name = open_.pop()
        reached.add(name)
        open_ |= needs.get(name, set()) - reached
    return needs.keys() - reached


def _lock(folder: Path, *options: str) -> Completed:
    return uv("lock", "--quiet", *options, "--python", sys.executable, cwd=folder)


def _lay_out(
    root: Path,
    manifest: TemplateManifest,
    answers: Answers,
    folder: Path,
    *,
    lock: bool = False,
) -> None:
    """Write what uv reads of a service, under the template's own names."""
    wanted = [
        entry
        for entry in sources(manifest, answers.kept)
        if entry.source == "pyproject.toml" or (lock and entry.lock)
    ]
    contents = {entry.source: (root / entry.source).read_bytes() for entry in wanted}
    only = replace(manifest, entries=tuple(wanted))
    for path, file in render(only, answers, contents).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(file.content)


def _blocks(lock: str) -> dict[str, str]:
    """Split a lock file into its packages, those of one name together."""
    blocks: dict[str, str] = {}
    for block in lock.split(BLOCK)[1:]:
        name = block.partition('"')[2].partition('"')[0]
        blocks[name] = blocks[name] + BLOCK + block if name in blocks else block
    return blocks
