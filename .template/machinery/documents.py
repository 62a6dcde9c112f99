"""Find links, paths and records in documents that a service does not have."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from trunkline.template.render import ServiceFile

# These have the reader make and move files, so that what they name is not there yet.
MAKING = frozenset({"docs/packages.md", "docs/playbook.md", "docs/template.md"})
LINK = re.compile(r"\]\(([^)\s:#]+)(?:#[^)\s]*)?\)")
FOLDERS = r"src|tests|docs|packages|github|docker|\.github|\.ci|\.githooks"
NAMED = re.compile(rf"(?<![\w./-])(?:{FOLDERS})/[\w./-]+")
RECORDS = "docs/decisions/"
RECORD = re.compile(r"\b(?:record|decision)s? (\d+)\b")


def dead_ends(files: Mapping[str, ServiceFile]) -> Iterator[str]:
    """Name links and paths in documents that lead nowhere, with their lines."""
    there = {str(place) for path in files for place in PurePosixPath(path).parents}
    there |= files.keys()
    records = {path.removeprefix(RECORDS)[:4] for path in files}
    for path, file in files.items():
        if not path.endswith(".md"):
            continue
        for number, line in enumerate(file.content.decode("utf-8").split("\n"), 1):
            for found in targets(path, line):
                if found not in there:
                    yield f"{path}:{number}: leads to {found}, which is not there"
            for match in RECORD.finditer(line):
                if match[1].zfill(4) not in records:
                    yield f"{path}:{number}: {match[0]} is not there"


def targets(path: str, line: str) -> Iterator[str]:
    """Yield the files and folders that a line of a document names, from the root."""
    for match in LINK.finditer(line):
        yield posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1]))
    if path not in MAKING:
        for match in NAMED.finditer(line):
            yield match[0].rstrip("./")
