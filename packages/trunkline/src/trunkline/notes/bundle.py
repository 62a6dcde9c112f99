"""`trunkline notes --bundle`: the input for a language model that describes changes."""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from trunkline.commits.conventional import shown
from trunkline.commits.history import (
    Commit,
    Range,
    changed_paths,
    read_commits,
    release_range,
    resolve,
)
from trunkline.folders import require_free, write_folder
from trunkline.git import Repository
from trunkline.notes.masking import MaskedSecret, mask_text, summary
from trunkline.notes.patches import ChangedFile, MaskedDiff, read_diff, working_tree
from trunkline.notes.prompts import commit_prompt, notes_prompt
from trunkline.releases.changelog import Section
from trunkline.versions import Version

# Commits that show the style of messages.
RECENT = "--max-count=100"
COMMITS, DIFF, STAT = "commits.json", "diff.patch", "stat.txt"
SECRETS = "secrets.json"
_DATE = re.compile(r"\((\d{4}-\d{2}-\d{2})\)")
COMMIT_PROMPT, NOTES_PROMPT = "prompt-commit-messages.md", "prompt-release-notes.md"


@dataclass(frozen=True, slots=True)
class ReleaseSubject:
    """What notes are about; `version` is None for what is not released yet.

    `section` is None if there is nothing to describe; `reason` says why.
    """

    name: str
    version: Version | None
    section: Section | None
    reason: str = ""

    @property
    def markdown(self) -> str:
        """The notes as they stand in the changelog; empty if there are none."""
        return self.section.text.strip() if self.section else ""

    @property
    def data(self) -> dict[str, Any]:
        """The notes for JSON; version and date are None if there are none."""
        date = _DATE.search(self.markdown.partition("\n")[0])
        return {
            "version": self.name.removeprefix("v") if self.section else None,
            "date": date[1] if date else None,
            "markdown": self.markdown,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that goes into a bundle, masked."""

    span: Range
    commits: list[Commit]
    # The files that each commit changed, by its hash.
    paths: dict[str, list[str]]
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
    return data, report(folder, material)


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
    paths = changed_paths(repository, *span.revisions)
    return Material(span, commits, paths, notes, released, uncommitted, recent, secrets)


def bundle_files(name: str, material: Material) -> dict[str, str]:
    """Return the files of a bundle by their paths in it."""
    released, uncommitted = material.released.files, material.uncommitted.files
    stat, commits = stat_table(released), material.commits
    sources, others = by_interest(released)
    return {
        ".gitignore": "*\n",  # A release refuses new files.
        COMMITS: as_json(
            [asdict(it) | {"files": material.paths.get(it.hash, [])} for it in commits]
        ),
        DIFF: "".join(file.text for file in released),
        STAT: stat,
        SECRETS: as_json([asdict(found) for found in material.secrets]),
        COMMIT_PROMPT: commit_prompt(
            diff=[file.text for file in uncommitted],
            stat=stat_table(uncommitted),
            recent=material.recent,
        ),
        NOTES_PROMPT: notes_prompt(
            name=name,
            span=material.span.name,
            notes=material.notes,
            commits=commits,
            diff=sources,
            others=others,
            stat=stat,
        ),
    }


# What a test or a source is called, in most languages.
TEST = re.compile(
    r"(?:^|/)(?:tests?|__tests__|spec)/|(?:^|/)test_[^/]*$|[._]test\.\w+$"
)
SOURCE = re.compile(r"(?:^|/)src/")


def by_interest(files: Iterable[ChangedFile]) -> tuple[list[str], list[str]]:
    """Return the patches of sources, and of the rest; a test is only named."""
    sources: list[str] = []
    others: list[str] = []
    for file in files:
        if file.added is not None and TEST.search(file.path):
            others.append(f"{file.path}: +{file.added} -{file.removed}, a test\n")
        else:
            (sources if SOURCE.search(file.path) else others).append(file.text)
    return sources, others


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
        f"{shown(file.path)}  "
        + ("binary" if file.added is None else f"+{file.added} -{file.removed}")
        + "\n"
        for file in files
    )


def report(folder: Path, material: Material) -> str:
    """Report what was written, which secrets were masked, and how to use it."""
    files, secrets = material.released.files, material.secrets
    lines = [
        f"bundle of {material.span.name} in {folder}: {len(material.commits)} commits, "
        f"{len(files)} files"
    ]
    if secrets:
        lines.append(f"secrets masked: {len(secrets)} ({summary(secrets)})")
        lines += sorted({f"  {found.path} ({found.kind})" for found in secrets})
    lines.append("masking is a help, no promise: look through it before you send it")
    quoted = shlex.quote(f"{folder}/")
    lines += [
        "pipe a prompt into a tool that reads standard input, such as `llm`:",
        f"  cat {quoted}{COMMIT_PROMPT} | llm",
        f"  cat {quoted}{NOTES_PROMPT} | llm > release-notes.md",
        f"  cat {quoted}prompt-*.md | llm",
    ]
    return "\n".join(lines)


def as_json(rows: Sequence[dict[str, Any]]) -> str:
    """Format rows as indented JSON."""
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
