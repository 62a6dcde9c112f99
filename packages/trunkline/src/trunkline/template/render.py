"""Render a version of the template as a service. Pure; `.template/*.jinja` do the same.

Both write the same bytes: a service may be made by copier and updated by this tool, or
the other way round.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from trunkline.addresses import canonical_url
from trunkline.errors import FailedError
from trunkline.template import answers as answers_
from trunkline.template.answers import Answers
from trunkline.template.manifest import (
    LockChanges,
    TemplateFile,
    TemplateManifest,
    TextEdit,
    lock_key,
)
from trunkline.template.names import spellings

BLOCK = "\n[[package]]\n"
MEMBERS = "\n[manifest]\n"
VERSION = '\nversion = "'
# The tool lies in the template's repository, so a service needs it at the version of
# the template that the service was made from.
TOOL, PLACE = "trunkline", "packages/trunkline"
_RELEASE = re.compile(r"v\d+\.\d+\.\d+(-[a-z]+\.\d+)?")


@dataclass(frozen=True, slots=True)
class ServiceFile:
    """One file of a service."""

    content: bytes
    executable: bool = False


def sources(manifest: TemplateManifest, kept: Mapping[str, bool]) -> list[TemplateFile]:
    """List the template's files that a service with these parts has."""
    gone = set(manifest.left_out(kept))
    return [entry for entry in manifest.entries if not gone.intersection(entry.parts)]


def render(
    manifest: TemplateManifest, answers: Answers, contents: Mapping[str, bytes]
) -> dict[str, ServiceFile]:
    """Render a service's files by path; `contents` are the template's, by source."""
    left_out = manifest.left_out(answers.kept)
    rename = renaming(manifest, answers)
    slug = spellings(answers.package, answers.title)["slug"]
    files = {}
    for entry in sources(manifest, answers.kept):
        text = contents[entry.source].decode("utf-8")
        if entry.lock:
            lock = manifest.locks[lock_key(left_out)]
            text = render_lock(text, lock, slug, rename)
        else:
            markdown = entry.target.endswith(".md")
            words = renaming(manifest, answers, markdown=markdown)
            text = renamed(edited(text, entry, left_out), words)
        path = renamed(entry.target, rename)
        files[path] = ServiceFile(text.encode("utf-8"), entry.executable)
    asked = {part.question: part.name not in left_out for part in manifest.parts}
    own = replace(answers, kept=asked)
    written = answers_.print_answers(own, header=manifest.answers_header)
    files[answers_.PATH] = ServiceFile(written.encode("utf-8"))
    return files


def dependency_words(source: str, commit: str, commit_id: str) -> dict[str, str]:
    """Fill in what pyproject.toml and uv.lock say about the tool.

    `commit` is the version as `git describe` names it; unless that is a release, the
    dependency is pinned to the full `commit_id`.
    """
    kind, pin = ("tag", commit) if _RELEASE.fullmatch(commit) else ("rev", commit_id)
    return {
        "git": canonical_url(source),
        "pin": f'{kind} = "{pin}"',
        "query": f"{kind}={pin}",
        "commit": commit_id,
    }


def as_git_dependency(block: str) -> str:
    """Write the tool's own block of uv.lock as uv writes a dependency from git."""
    source = (
        'source = { git = "TRUNKLINE_GIT?subdirectory=packages%2Ftrunkline'
        '&TRUNKLINE_QUERY#TRUNKLINE_COMMIT" }'
    )
    text = block.replace(f'source = {{ editable = "{PLACE}" }}', source)
    return text.partition("\n[package.metadata]\n")[0]


def renaming(
    manifest: TemplateManifest, answers: Answers, *, markdown: bool = False
) -> list[tuple[str, str]]:
    """List the words of the template with those that take their place."""
    words = {
        **spellings(answers.package, answers.title),
        **dependency_words(answers.source, answers.commit, answers.commit_id),
    }
    if markdown:
        words["title"] = words["markdown"]
    return [(old, words[spelling]) for old, spelling in manifest.rename]


def renamed(text: str, rename: list[tuple[str, str]]) -> str:
    """Put the service's names in place of the template's."""
    for old, new in rename:
        text = text.replace(old, new)
    return text


def edited(text: str, entry: TemplateFile, left_out: tuple[str, ...]) -> str:
    """Reset the version and remove what belongs to parts that are left out."""
    gone = set(left_out)
    if entry.versioned:
        head, _, tail = text.partition(VERSION)
        text = f'{head}{VERSION}0.0.0"{tail.partition('"')[2]}'
    for edit in entry.edits:
        if gone.issuperset(edit.without) and gone.isdisjoint(edit.kept):
            text = replaced(text, edit, entry.source)
    return text


def replaced(text: str, edit: TextEdit, place: str) -> str:
    """Apply one edit; raises FailedError unless it has exactly one place."""
    head, _, tail = text.partition(edit.start)
    missing = edit.end and edit.end not in tail
    if text.count(edit.start) != 1 or missing:
        raise FailedError(
            f"{place}: found {text.count(edit.start)} places that begin with "
            f"{edit.start!r}{f' and none that ends with {edit.end!r}' * bool(missing)};"
            " expected one"
        )
    return head + edit.by + (tail.partition(edit.end)[2] if edit.end else tail)


def render_lock(
    text: str, lock: LockChanges, slug: str, rename: list[tuple[str, str]]
) -> str:
    """Render uv.lock as uv writes it for one project: packages sorted by name."""
    head, *blocks = text.split(BLOCK)
    written = head.partition(MEMBERS)[0]
    names = [block.partition('"')[2].partition('"')[0] for block in blocks]
    own = renamed(lock.project, rename)
    placed = False
    for name, block in zip(names, blocks, strict=True):
        if name in lock.dropped:
            continue
        if not placed and slug < name:
            written, placed = written + BLOCK + own, True
        own_tool = renamed(as_git_dependency(block), rename) if name == TOOL else block
        written += BLOCK + lock.changed.get(name, own_tool)
    return written if placed else written + BLOCK + own
