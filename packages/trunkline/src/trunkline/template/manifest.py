"""What the template says of itself: which files it has, and what becomes of them.

`.template/manifest.json` is read by this tool and by copier, and by later versions of
both: a service is updated by the tool that it has. Its format is a contract.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trunkline.errors import FailedError

PATH = ".template/manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Edit:
    """Text from `start` to `end`, both included, is replaced by `by`.

    It is done where all parts of `without` are left out and all of `kept` are not. An
    empty `end` means that only `start` is replaced.
    """

    without: tuple[str, ...]
    kept: tuple[str, ...]
    start: str
    end: str
    by: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: it is left out with any of its `parts`.

    `once` is a file that is given once and then the team's; `versioned`, one whose
    version is the template's and becomes 0.0.0; `lock` is uv.lock.
    """

    source: str
    target: str
    parts: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    executable: bool = False
    once: bool = False
    versioned: bool = False
    lock: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """An optional part and the question whose answer keeps it."""

    name: str
    question: str


@dataclass(frozen=True, slots=True)
class Lock:
    """What becomes of uv.lock where some parts are left out: blocks by their name.

    `project` is the project's own block, with its name as it is in the template and
    the version 0.0.0; `changed` holds others that uv writes differently then.
    """

    dropped: frozenset[str]
    project: str
    changed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The parsed manifest; `locks` has one for each set of parts left out."""

    rename: tuple[tuple[str, str], ...]
    package_pattern: str
    title_pattern: str
    always_out: tuple[str, ...]
    parts: tuple[Part, ...]
    taken: frozenset[str]
    answers_header: str
    entries: tuple[Entry, ...]
    members: tuple[str, ...]
    locks: Mapping[str, Lock]

    def left_out(self, kept: Mapping[str, bool]) -> tuple[str, ...]:
        """List what is left out, by the answers to the parts' questions.

        A question that was not answered is one that the template did not ask yet, so
        the part was there.
        """
        chosen = (p.name for p in self.parts if not kept.get(p.question, True))
        return (*self.always_out, *chosen)


def lock_key(left_out: tuple[str, ...]) -> str:
    """Name a set of parts left out, in the order of the manifest."""
    return "+".join(left_out)


def parse_manifest(content: bytes) -> Manifest:
    """Parse a manifest; raises FailedError where it is of another format."""
    document = json.loads(content)
    if document.get("format") != FORMAT:
        raise FailedError(
            f"the template's manifest has format {document.get('format')!r}; "
            f"expected {FORMAT}, which is what this version of trunkline reads\n"
            "  type next: the same command with the template's own tool:\n"
            '    uvx --from "git+URL@TAG#subdirectory=packages/trunkline" trunkline …'
        )
    return Manifest(
        rename=tuple((old, spelling) for old, spelling in document["rename"]),
        package_pattern=document["package_pattern"],
        title_pattern=document["title_pattern"],
        always_out=tuple(document["always_out"]),
        parts=tuple(Part(p["name"], p["question"]) for p in document["parts"]),
        taken=frozenset(document["taken"]),
        answers_header=document["answers_header"],
        entries=tuple(_entry(row) for row in document["files"]),
        members=tuple(document["members"]),
        locks={
            key: Lock(frozenset(lock["dropped"]), lock["project"], lock["changed"])
            for key, lock in document["locks"].items()
        },
    )


def _entry(row: Mapping[str, Any]) -> Entry:
    edits = tuple(
        Edit(**{**edit, "without": tuple(edit["without"]), "kept": tuple(edit["kept"])})
        for edit in row["edits"]
    )
    return Entry(**{**row, "parts": tuple(row["parts"]), "edits": edits})
