"""The template's manifest: its files, and what each becomes in a service.

`.template/manifest.json` is read by this tool, by copier, and by later versions of
both: a service is updated by the tool that it has. Its format is a contract.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trunkline.errors import FailedError

PATH = ".template/manifest.json"
FORMAT = 2
# In format 1 the tool was copied into every service. An update reads it to find out
# what such a service was made of; nothing is made of it any more.
OLDEST_FORMAT = 1


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Text from `start` to `end`, both included, is replaced by `by`.

    It applies where all parts in `without` are left out and all in `kept` are kept. An
    empty `end` means that only `start` is replaced.
    """

    without: Collection[str]
    kept: Collection[str]
    start: str
    end: str
    by: str


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """One file of the template; it is left out with any of its `parts`.

    `once`: written when a service is made, and the team's from then on. `versioned`:
    its version is the template's and becomes 0.0.0. `lock`: it is uv.lock.
    """

    source: str
    target: str
    parts: Collection[str] = ()
    edits: Sequence[TextEdit] = ()
    executable: bool = False
    once: bool = False
    versioned: bool = False
    lock: bool = False


@dataclass(frozen=True, slots=True)
class OptionalPart:
    """An optional part and the question whose answer keeps it."""

    name: str
    question: str


@dataclass(frozen=True, slots=True)
class LockChanges:
    """How uv.lock changes where some parts are left out; blocks are named by package.

    `project` is the service's own block, still with the template's names; `changed`
    holds other blocks that uv writes differently.
    """

    dropped: Collection[str]
    project: str
    changed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TemplateManifest:
    """The parsed manifest; `locks` has an entry for each set of parts left out."""

    rename: tuple[tuple[str, str], ...]
    package_pattern: str
    always_out: tuple[str, ...]
    parts: tuple[OptionalPart, ...]
    taken: frozenset[str]
    answers_header: str
    entries: tuple[TemplateFile, ...]
    locks: Mapping[str, LockChanges]

    def left_out(self, kept: Mapping[str, bool]) -> tuple[str, ...]:
        """List what is left out, by the answers to the parts' questions.

        A question without an answer is one that the template did not ask yet, so the
        part is kept.
        """
        chosen = (p.name for p in self.parts if not kept.get(p.question, True))
        return (*self.always_out, *chosen)


def lock_key(left_out: tuple[str, ...]) -> str:
    """Name a set of parts left out, in the order of the manifest."""
    return "+".join(left_out)


def parse_manifest(content: bytes, *, oldest: int = FORMAT) -> TemplateManifest:
    """Parse a manifest; raises FailedError for a format that cannot be used here."""
    document = json.loads(content)
    found = document.get("format")
    if found not in range(oldest, FORMAT + 1):
        raise FailedError(
            f"the template's manifest has format {found!r}; "
            f"expected {FORMAT}, which is what this version of trunkline reads\n"
            "  type next: the same command with the tool of that version:\n"
            '    uvx --from "git+URL@TAG#subdirectory=packages/trunkline" trunkline …'
        )
    return TemplateManifest(
        rename=tuple((old, spelling) for old, spelling in document["rename"]),
        package_pattern=document["package_pattern"],
        always_out=tuple(document["always_out"]),
        parts=tuple(OptionalPart(p["name"], p["question"]) for p in document["parts"]),
        taken=frozenset(document["taken"]),
        answers_header=document["answers_header"],
        entries=tuple(_file(row) for row in document["files"]),
        locks={key: LockChanges(**lock) for key, lock in document["locks"].items()},
    )


def _file(row: Mapping[str, Any]) -> TemplateFile:
    return TemplateFile(**{**row, "edits": [TextEdit(**e) for e in row["edits"]]})
