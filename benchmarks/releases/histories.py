"""Repositories with as many commits and tags as a project collects over years."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import time

from benchmarks.harness import processes
from benchmarks.harness.processes import PROJECT

# The commits to release are the same, however long the history is.
UNRELEASED = 20
SECONDS_APART = 600
SUBJECTS = (
    "feat(billing): count unit {}",
    "fix(billing): round unit {}",
    "docs: explain unit {}",
    "test: cover unit {}",
    "refactor: move unit {}",
)
FEATURE, FIX = SUBJECTS[:2]
FILES = 100
CHANGELOG = "CHANGELOG.md"


@dataclass(frozen=True)
class History:
    """How many commits there are, and how many of them are releases."""

    commits: int
    tags: int

    def __str__(self) -> str:
        return f"{self.commits:,} commits, {self.tags:,} tags"

    @property
    def released(self) -> dict[int, str]:
        """The version of each commit that has a tag, the oldest first."""
        last = self.commits - UNRELEASED
        numbers = (last * place // self.tags for place in range(1, self.tags + 1))
        return {number: f"0.{minor}.0" for minor, number in enumerate(numbers, 1)}


def build(folder: Path, history: History, *, env: dict[str, str]) -> None:
    """Create the bare repository `folder`, with the project's own files at HEAD."""
    processes.run(("git", "init", "-q", "--bare", "-b", "main", folder), env=env)
    written = folder / "stream"
    with written.open("w", encoding="utf-8") as stream:
        stream.writelines(commands(history))
    with written.open("rb") as stream:
        processes.run(
            ("git", "fast-import", "--quiet"),
            cwd=folder,
            env=env,
            stdin=stream.fileno(),
        )
    written.unlink()
    processes.run(("git", "pack-refs", "--all"), cwd=folder, env=env)


def commands(history: History) -> Iterator[str]:
    """Write the whole history as commands for `git fast-import`."""
    begun = int(time()) - history.commits * SECONDS_APART
    released = history.released
    for number in range(1, history.commits + 1):
        when = f"dev <dev@example.com> {begun + number * SECONDS_APART} +0000\n"
        yield f"commit refs/heads/main\nmark :{number}\ncommitter {when}"
        yield data(subject(number))
        if number == 1:
            yield from (file(*each) for each in project(history).items())
        yield file(f"units/{number % FILES}.txt", f"{number}\n")
        if version := released.get(number):
            yield f"tag v{version}\nfrom :{number}\ntagger {when}{data(f'v{version}')}"


def subject(number: int) -> str:
    """Return the message of one commit."""
    return SUBJECTS[number % len(SUBJECTS)].format(number)


def file(path: str, text: str) -> str:
    """Write one file into the commit above."""
    return f"M 100644 inline {path}\n{data(text)}"


def data(text: str) -> str:
    """Write a text prefixed with its length in bytes."""
    return f"data {len(text.encode())}\n{text}\n"


def project(history: History) -> dict[str, str]:
    """Return what `cz bump` reads: this project's files, at the last version."""
    pyproject = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    document = tomllib.loads(pyproject)
    name = document["project"]["name"]
    template = document["tool"]["commitizen"].get("template")
    version = list(history.released.values())[-1]
    lock = (PROJECT / "uv.lock").read_text(encoding="utf-8")
    files = {
        "pyproject.toml": versioned(pyproject, "[project]", version),
        "uv.lock": versioned(lock, f'name = "{name}"', version),
        CHANGELOG: changelog(history),
    }
    if template:
        files[template] = (PROJECT / template).read_text(encoding="utf-8")
    return files


def versioned(text: str, after: str, version: str) -> str:
    """Write the version into the first `version = ` below a line."""
    return re.sub(
        rf'(^{re.escape(after)}$.*?^version = )"[^"]*"',
        rf'\g<1>"{version}"',
        text,
        count=1,
        flags=re.MULTILINE | re.DOTALL,
    )


def changelog(history: History) -> str:
    """List each release's features and fixes, the latest release first."""
    sections = []
    begun = 1
    for end, version in history.released.items():
        text = f"## v{version} (2026-01-01)\n"
        for heading, wanted in (("Feat", FEATURE), ("Fix", FIX)):
            lines = [
                f"- **billing**: {subject(number).partition(': ')[2]}\n"
                for number in range(begun, end + 1)
                if SUBJECTS[number % len(SUBJECTS)] == wanted
            ]
            text += f"\n### {heading}\n\n{''.join(lines)}" if lines else ""
        sections.append(text)
        begun = end + 1
    return "\n".join(reversed(sections))
