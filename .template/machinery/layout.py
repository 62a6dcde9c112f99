"""Lay out lines with the service's name alike for the shortest and the longest.

A formatter breaks a line that a long name makes too long, and joins lines that a short
one makes short enough, so that a fresh service would not pass its own checks.
"""

import ast
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path

from trunkline.template.answers import Answers
from trunkline.template.manifest import TemplateManifest
from trunkline.template.names import spellings
from trunkline.template.render import render, sources

from machinery.locks import SAME, choices

LONGEST = ("q" * 14 + "_" + "z" * 15, "Q" * 19 + " " + "Z" * 20)
SHORTEST = ("a", "A")
RUFF = Path(sys.executable).with_name("ruff")


def layout_problems(root: Path, manifest: TemplateManifest) -> list[str]:
    """Run ruff on services with the shortest names, the longest, and fewer parts."""
    services = [(kept, SHORTEST) for kept in choices(manifest)]
    services.append((services[0][0], LONGEST))
    found = []
    for kept, names in services:
        what = f"package {names[0]} without {', '.join(manifest.left_out(kept))}"
        with laid_out(root, manifest, names, kept) as folder:
            for gate in (("format", "--check", "--quiet"), ("check", "--quiet")):
                done = ruff(folder, *gate, "--output-format=concise")
                found += [f"{what}: {line}" for line in done.splitlines()]
    return found


def lay_out(root: Path, manifest: TemplateManifest) -> list[str]:
    """Break lines of the live files where the longest names need it; returns which."""
    contents = {entry.target: entry.source for entry in manifest.entries}
    changed = []
    with laid_out(root, manifest, LONGEST, {}) as folder:
        before = {path: path.read_text() for path in sorted(folder.rglob("*.py"))}
        ruff(folder, "check", "--quiet", "--fix", "--select=I")
        ruff(folder, "format", "--quiet")
        for path, old in before.items():
            if path.read_text() == old:
                continue
            target = unnamed(str(path.relative_to(folder)), manifest)
            live = root / contents[target]
            live.write_text(held_apart(root, unnamed(path.read_text(), manifest)))
            changed.append(contents[target])
    return changed


def held_apart(root: Path, text: str) -> str:
    """End with a comma what the formatter would join again for a short name."""
    lines = text.splitlines(keepends=True)
    joined = formatted(root, text).splitlines(keepends=True)
    matcher = SequenceMatcher(None, lines, joined, autojunk=False)
    for kind, begin, end, _, _ in matcher.get_opcodes():
        for number in range(begin, end if kind != "equal" else begin):
            closes = "".join(lines[number + 1 : number + 2]).lstrip()[:1]
            if closes and closes in ")]}":
                ended = [*lines]
                ended[number] = f"{lines[number].rstrip()},\n"
                lines = ended if same_code("".join(ended), text) else lines
    return formatted(root, "".join(lines))


def same_code(text: str, other: str) -> bool:
    """Whether two texts are the same program in different layouts."""
    try:
        return ast.dump(ast.parse(text)) == ast.dump(ast.parse(other))
    except SyntaxError:
        return False


def formatted(root: Path, text: str) -> str:
    """Format a text with ruff as the live files are."""
    done = subprocess.run(  # noqa: S603 - the environment's own program
        [RUFF, "format", "--quiet", "--no-cache", "--stdin-filename=src/a.py", "-"],
        cwd=root,
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def unnamed(text: str, manifest: TemplateManifest) -> str:
    """Put the template's own names back in place of the longest ones."""
    names = spellings(*LONGEST)
    for old, spelling in manifest.rename:
        if spelling in names:
            text = text.replace(names[spelling], old)
    return text


@contextmanager
def laid_out(
    root: Path,
    manifest: TemplateManifest,
    names: tuple[str, str],
    kept: Mapping[str, bool],
) -> Iterator[Path]:
    """Render the code of a service into a temporary folder."""
    code = (".py", ".toml")
    wanted = [e for e in sources(manifest, kept) if e.target.endswith(code)]
    contents = {entry.source: (root / entry.source).read_bytes() for entry in wanted}
    only = replace(manifest, entries=tuple(wanted))
    package, title = names
    answers = Answers(**{**SAME, "package": package, "title": title}, kept=kept)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for path, file in render(only, answers, contents).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(file.content)
        yield folder


def ruff(folder: Path, *arguments: str) -> str:
    """Run ruff without a cache and return what it prints."""
    done = subprocess.run(  # noqa: S603 - the environment's own program
        [RUFF, *arguments, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr
