"""Read `.template/parts/*.toml`: what is left out with a part."""

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

# What no service keeps.
ALWAYS_OUT = "template"


@dataclass(frozen=True, slots=True)
class EditDefinition:
    """Text of one file from `start` to `end`, both included, becomes `by`.

    `kept` names other parts that must not be left out, for then their own edits do it.
    """

    file: str
    start: str
    end: str = ""
    by: str = ""
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PartDefinition:
    """A part of the template; without a question, no service keeps it.

    No file of a service without it holds one of its `words`, in whatever case.
    """

    name: str
    question: str
    files: tuple[str, ...]
    words: tuple[str, ...]
    edits: tuple[EditDefinition, ...]

    def owns(self, path: str) -> bool:
        """Whether the file goes with the part."""
        return any(fnmatchcase(path, pattern) for pattern in self.files)


def read_parts(folder: Path) -> tuple[PartDefinition, ...]:
    """Read all parts, first the one that no service keeps."""
    parts = [_part(file) for file in sorted(folder.glob("*.toml"))]
    return tuple(sorted(parts, key=lambda part: bool(part.question)))


def _part(file: Path) -> PartDefinition:
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    return PartDefinition(
        name=file.stem,
        question="" if file.stem == ALWAYS_OUT else f"keep_{file.stem}",
        files=tuple(document.pop("files")),
        words=tuple(document.pop("words")),
        edits=tuple(
            EditDefinition(
                **{key: _tuple(value) for key, value in edit.items()},
            )
            for edit in document.pop("edits")
        ),
    )


def _tuple(value: str | list[str]) -> Any:  # noqa: ANN401 - as the field wants it
    return tuple(value) if isinstance(value, list) else value
