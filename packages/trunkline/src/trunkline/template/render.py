"""Render a version of the template as a service. Pure; `.template/*.jinja` do the same.

What one of them writes, the other writes byte for byte: a service may be made by copier
and updated by this tool, or the other way round.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from trunkline.errors import FailedError
from trunkline.template import answers as answers_
from trunkline.template.answers import Answers
from trunkline.template.manifest import Edit, Entry, Lock, Manifest, lock_key
from trunkline.template.names import spellings

BLOCK = "\n[[package]]\n"
MEMBERS = "members = [\n"
VERSION = '\nversion = "'


@dataclass(frozen=True, slots=True)
class File:
    """One file of a service."""

    content: bytes
    executable: bool = False


def sources(manifest: Manifest, kept: Mapping[str, bool]) -> list[Entry]:
    """List the files that a service with these parts is made of."""
    gone = set(manifest.left_out(kept))
    return [entry for entry in manifest.entries if not gone.intersection(entry.parts)]


def render(
    manifest: Manifest, answers: Answers, contents: Mapping[str, bytes]
) -> dict[str, File]:
    """Render all files of a service by their paths in it.

    `contents` holds the template's own files by their `Entry.source`.
    """
    left_out = manifest.left_out(answers.kept)
    names = spellings(answers.package, answers.title)
    rename = [(old, names[spelling]) for old, spelling in manifest.rename]
    files = {}
    for entry in sources(manifest, answers.kept):
        text = contents[entry.source].decode("utf-8")
        if entry.lock:
            lock = manifest.locks[lock_key(left_out)]
            text = render_lock(text, lock, manifest.members, names["slug"], rename)
        else:
            text = renamed(edited(text, entry, left_out), rename)
        path = renamed(entry.target, rename)
        files[path] = File(text.encode("utf-8"), entry.executable)
    asked = {part.question: part.name not in left_out for part in manifest.parts}
    own = Answers(answers.package, answers.title, answers.source, answers.commit, asked)
    written = answers_.print_answers(own, header=manifest.answers_header)
    files[answers_.PATH] = File(written.encode("utf-8"))
    return files


def renamed(text: str, rename: list[tuple[str, str]]) -> str:
    """Put the service's names in place of the template's."""
    for old, new in rename:
        text = text.replace(old, new)
    return text


def edited(text: str, entry: Entry, left_out: tuple[str, ...]) -> str:
    """Set the version back and take out what belongs to parts that are left out."""
    gone = set(left_out)
    if entry.versioned:
        head, _, tail = text.partition(VERSION)
        text = f'{head}{VERSION}0.0.0"{tail.partition('"')[2]}'
    for edit in entry.edits:
        if gone.issuperset(edit.without) and gone.isdisjoint(edit.kept):
            text = replaced(text, edit, entry.source)
    return text


def replaced(text: str, edit: Edit, place: str) -> str:
    """Apply one edit; raises FailedError unless there is one place for it."""
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
    text: str,
    lock: Lock,
    members: tuple[str, ...],
    slug: str,
    rename: list[tuple[str, str]],
) -> str:
    """Render uv.lock as uv writes it: packages and members sorted by their names."""
    head, *blocks = text.split(BLOCK)
    before, _, after = head.partition(MEMBERS)
    listed = "".join(f'    "{name}",\n' for name in sorted((*members, slug)))
    written = f"{before}{MEMBERS}{listed}]{after.partition(']')[2]}"
    names = [block.partition('"')[2].partition('"')[0] for block in blocks]
    own = renamed(lock.project, rename)
    placed = False
    for name, block in zip(names, blocks, strict=True):
        if name in lock.dropped:
            continue
        if not placed and slug < name:
            written, placed = written + BLOCK + own, True
        written += BLOCK + lock.changed.get(name, block)
    return written if placed else written + BLOCK + own
