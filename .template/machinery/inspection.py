"""Find files that cannot be rendered, and traces of parts that are left out."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from trunkline.errors import FailedError
from trunkline.template import answers
from trunkline.template.answers import Answers
from trunkline.template.manifest import TemplateManifest
from trunkline.template.render import ServiceFile, render, sources

from machinery.documents import dead_ends
from machinery.imports import missing_imports
from machinery.locks import SAME, choices
from machinery.parts import PartDefinition

# The delimiters of copier.yml.
DELIMITERS = re.compile(r"\{@|\{=|\{#~")
# Renaming would rewrite the middle of another word.
INSIDE = re.compile(r"[A-Za-z0-9]my_app|my_app[A-Za-z0-9]|[A-Za-z0-9]my-app|MyApp[a-z]")
OTHER_SPELLINGS = re.compile(r"my[-_. ]?app", re.IGNORECASE)
SPELLINGS = frozenset({"my_app", "my-app", "MY_APP", "MyApp", "My App"})


def problems(
    root: Path, manifest: TemplateManifest, parts: tuple[PartDefinition, ...]
) -> list[str]:
    """List what is wrong with the live files, the edits, or what they leave."""
    found = [
        problem
        for entry in manifest.entries
        for problem in _unfit(entry.source, root / entry.source)
    ]
    found += _unmatched(root, manifest, parts)
    found += _questions(root, manifest)
    found += _ambiguous(manifest)
    if found:
        return found
    contents = {e.source: (root / e.source).read_bytes() for e in manifest.entries}
    whole: dict[str, ServiceFile] = {}
    for kept in choices(manifest):
        files, errors = _rendered(manifest, kept, contents)
        found += errors
        whole = whole or files
        gone = [part for part in parts if not kept.get(part.question, False)]
        found += [*_left(files, gone), *missing_imports(whole, files)]
        found += dead_ends(files)
    return list(dict.fromkeys(found))


def _rendered(
    manifest: TemplateManifest, kept: Mapping[str, bool], contents: Mapping[str, bytes]
) -> tuple[dict[str, ServiceFile], list[str]]:
    """Render a combination, all of it but uv.lock, in the template's own names."""
    files: dict[str, ServiceFile] = {}
    errors = []
    for entry in sources(manifest, kept):
        if not entry.lock:
            try:
                one = replace(manifest, entries=(entry,))
                files |= render(one, Answers(**SAME, kept=kept), contents)
            except FailedError as error:
                errors.append(f"without {', '.join(manifest.left_out(kept))}: {error}")
    return files, errors


def _unfit(path: str, file: Path) -> list[str]:
    """Say why a live file cannot be rendered."""
    if file.is_symlink():
        return [f"{path} is a symbolic link, which copier does not copy"]
    if file.is_dir():
        return [f"{path} is a repository of its own, which no service can have"]
    content = file.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return [f"{path} is not UTF-8 text; only UTF-8 text can be rendered"]
    found = []
    if "\r" in text:
        found.append(f"{path} has carriage returns, which rendering would change")
    if match := DELIMITERS.search(text):
        found.append(f"{path} has {match[0]}, a delimiter of copier.yml")
    for match in INSIDE.finditer(text):
        found.append(
            f"{path} has {match[0]!r}, which renaming would turn into nonsense"
        )
    for match in OTHER_SPELLINGS.finditer(text + path):
        if match[0] not in SPELLINGS:
            found.append(f"{path} spells the name {match[0]!r}; expected {SPELLINGS}")
    return found


def _unmatched(
    root: Path, manifest: TemplateManifest, parts: tuple[PartDefinition, ...]
) -> list[str]:
    """Name patterns that match no file, and edits of files that no service has."""
    targets = {entry.target for entry in manifest.entries}
    found = [
        f"parts/{part.name}.toml: no file matches {pattern}"
        for part in parts
        for pattern in part.files
        if not any(root.glob(pattern.replace("/*", "/**/*")))
    ]
    return found + [
        f"parts/{part.name}.toml: no service has {edit.file}"
        for part in parts
        for edit in part.edits
        if edit.file not in targets
    ]


def _questions(root: Path, manifest: TemplateManifest) -> list[str]:
    """Name parts that copier.yml does not ask for, or not in the manifest's order."""
    text = (root / "copier.yml").read_text(encoding="utf-8")
    expected = [part.question for part in manifest.parts]
    found = [
        f"copier.yml does not ask {part.question}; add the question, and to left_out:"
        f' + ([] if {part.question} else ["{part.name}"])'
        for part in manifest.parts
        if f"\n{part.question}:\n" not in text
        or f'([] if {part.question} else ["{part.name}"])' not in text
    ]
    asked = re.findall(r"^(keep_\w+):$", text, re.MULTILINE)
    listed = re.findall(r"\(\[\] if (keep_\w+) else", text)
    if not found and (asked != expected or listed != expected):
        found.append(
            f"copier.yml asks {', '.join(asked)} and leaves out {', '.join(listed)}; "
            f"expected in both places, in this order: {', '.join(expected)}"
        )
    return found


def _ambiguous(manifest: TemplateManifest) -> list[str]:
    """Name paths that differ in case only, which macOS and Windows cannot hold."""
    seen: dict[str, str] = {}
    found = []
    for entry in manifest.entries:
        other = seen.setdefault(entry.target.lower(), entry.target)
        if other != entry.target:
            found.append(f"{entry.target} and {other} differ in case only; rename one")
    return found


def _left(files: dict[str, ServiceFile], gone: list[PartDefinition]) -> list[str]:
    """Name words left over from parts that are left out."""
    found = []
    for part in gone:
        words = re.compile("|".join(map(re.escape, part.words)), re.IGNORECASE)
        for path, file in files.items():
            if path == answers.PATH:
                continue
            text = f"{path}\n{file.content.decode('utf-8')}"
            found += [
                f"{path}: {match[0]!r} is left over from the part {part.name}"
                for match in words.finditer(text)
            ]
    return found
