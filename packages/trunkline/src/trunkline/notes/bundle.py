"""`trunkline notes --bundle`: the input for a language model that describes changes."""

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from trunkline.commits.history import (
    Commit,
    Range,
    read_commits,
    release_range,
    resolve,
)
from trunkline.folders import require_free, write_folder
from trunkline.git import Repository
from trunkline.notes.masking import MaskedSecret, mask_text, summary
from trunkline.notes.patches import ChangedFile, MaskedDiff, read_diff, working_tree
from trunkline.notes.prompts import commit_prompt, notes_prompt
from trunkline.notes.release_notes import ReleaseSubject

# Commits that show the style of messages.
RECENT = "--max-count=100"
COMMITS, DIFF, STAT = "commits.json", "diff.patch", "stat.txt"
SECRETS = "secrets.json"
COMMIT_PROMPT, NOTES_PROMPT = "prompt-commit-messages.md", "prompt-release-notes.md"


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that goes into a bundle, masked."""

    span: Range
    commits: list[Commit]
    notes: str
    released: MaskedDiff
    uncommitted: MaskedDiff
    # The latest commits of HEAD, for the style of their messages.
    recent: list[Commit]
    secrets: list[MaskedSecret]


def write_bundle(
    repository: Repository, subject: ReleaseSubject, folder: Path
) -> tuple[dict[str, Any], str]:
    """Write the folder, completely or not at all; returns data and a report of it.

    The range is that of the notes; the prompt for commit messages is always about the
    working tree.
    """
    require_free(folder)
    material = gather_material(repository, subject)
    files = bundle_files(subject.name, material)
    write_folder(folder, files)
    span = material.span
    data = {
        "path": str(folder.resolve()),
        "range": {"start": span.start, "end": span.end, "name": span.name},
        "files": sorted(files),
        "secrets": [asdict(found) for found in material.secrets],
    }
    return data, report(repository, folder, material)


def gather_material(repository: Repository, subject: ReleaseSubject) -> Material:
    """Read commits and diffs, and mask them."""
    span = release_range(repository, subject.version)
    head = resolve(repository, "HEAD")
    commits, of_commits = masked_commits(read_commits(repository, *span.revisions))
    recent, _ = masked_commits(read_commits(repository, head, only=RECENT))
    released = read_diff(repository, span.start, span.end)
    uncommitted = read_diff(repository, head, working_tree(repository))
    text = subject.markdown or f"(none: {subject.reason})"
    notes, of_notes = mask_text(text, "CHANGELOG.md")
    secrets = [*of_commits, *of_notes, *released.secrets, *uncommitted.secrets]
    return Material(span, commits, notes, released, uncommitted, recent, secrets)


def bundle_files(name: str, material: Material) -> dict[str, str]:
    """Return the files of a bundle by their paths in it."""
    released, uncommitted = material.released.files, material.uncommitted.files
    stat = stat_table(released)
    return {
        COMMITS: as_json(material.commits),
        DIFF: "".join(file.text for file in released),
        STAT: stat,
        SECRETS: as_json(material.secrets),
        COMMIT_PROMPT: commit_prompt(
            diff=[file.text for file in uncommitted],
            stat=stat_table(uncommitted),
            recent=material.recent,
        ),
        NOTES_PROMPT: notes_prompt(
            name=name,
            span=material.span.name,
            notes=material.notes,
            commits=material.commits,
            diff=[file.text for file in released],
            stat=stat,
        ),
    }


def masked_commits(
    commits: Iterable[Commit],
) -> tuple[list[Commit], list[MaskedSecret]]:
    """Mask subjects and bodies."""
    result: list[Commit] = []
    secrets: list[MaskedSecret] = []
    for commit in commits:
        text = f"{commit.subject}\n\n{commit.body}"
        text, found = mask_text(text, f"commit {commit.hash[:12]}")
        subject, _, body = text.partition("\n\n")
        result.append(replace(commit, subject=subject, body=body))
        secrets.extend(found)
    return result, secrets


def stat_table(files: Iterable[ChangedFile]) -> str:
    """List every changed file with its lines added and removed."""
    return "".join(
        f"{file.path}  "
        + ("binary" if file.added is None else f"+{file.added} -{file.removed}")
        + "\n"
        for file in files
    )


def report(repository: Repository, folder: Path, material: Material) -> str:
    """Report what was written, which secrets were masked, and how to use it."""
    files, secrets = material.released.files, material.secrets
    lines = [
        f"bundle of {material.span.name} in {folder}: {len(material.commits)} commits, "
        f"{len(files)} files"
    ]
    if secrets:
        lines.append(f"secrets masked: {len(secrets)} ({summary(secrets)})")
        lines += sorted({f"  {found.path} ({found.kind})" for found in secrets})
    if is_untracked(repository, folder):
        lines.append(f"{folder} is not ignored by git; a release refuses it")
    quoted = shlex.quote(f"{folder}/")
    lines += [
        "pipe a prompt into a tool that reads standard input, such as `llm`:",
        f"  cat {quoted}{COMMIT_PROMPT} | llm",
        f"  cat {quoted}{NOTES_PROMPT} | llm > release-notes.md",
        f"  cat {quoted}prompt-*.md | llm",
    ]
    return "\n".join(lines)


def is_untracked(repository: Repository, folder: Path) -> bool:
    """Whether git would list the files of the folder as untracked."""
    path = folder.resolve()
    if not path.is_relative_to(repository.root.resolve()):
        return False
    return not repository.run("check-ignore", "--quiet", "--", str(path)).ok


def as_json(rows: Sequence[Commit] | Sequence[MaskedSecret]) -> str:
    """Format rows as indented JSON."""
    data = [asdict(row) for row in rows]
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
