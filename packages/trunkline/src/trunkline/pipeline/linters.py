"""The linters of workflows, Dockerfiles and shell scripts, as data. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

_WORKFLOWS = (".github/workflows/*.yml", ".github/workflows/*.yaml")
_ACTIONS = ("action.yml", "action.yaml", "*/action.yml", "*/action.yaml")
_DEPENDABOT = (".github/dependabot.yml",)
_DOCKERFILES = ("Dockerfile", "*.Dockerfile", "*/Dockerfile")
# Scripts have no suffix here, so their first line says what they are.
_SHELL = re.compile(rb"#!\s*/(?:\S*/)?(?:env\s+)?(?:ba|da)?sh\b")


@dataclass(frozen=True, slots=True)
class Linter:
    """One linter: `argv` gets the files whose paths match one of the patterns.

    `scripts` adds every file that begins like a shell script.
    """

    name: str
    argv: tuple[str, ...]
    patterns: tuple[str, ...]
    scripts: bool = False


ACTIONLINT = "actionlint"
LINTERS = (
    Linter(
        "workflow-schema",
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
        _WORKFLOWS,
    ),
    Linter(
        "action-schema",
        ("check-jsonschema", "--builtin-schema", "vendor.github-actions"),
        _ACTIONS,
    ),
    Linter(
        "dependabot-schema",
        ("check-jsonschema", "--builtin-schema", "vendor.dependabot"),
        _DEPENDABOT,
    ),
    # Its packaged form takes a pattern: see `lint`.
    Linter(ACTIONLINT, (ACTIONLINT,), _WORKFLOWS),
    Linter(
        "zizmor",
        ("zizmor", "--offline", "--quiet", "--no-progress", "--strict-collection"),
        (*_WORKFLOWS, *_ACTIONS, *_DEPENDABOT),
    ),
    Linter("hadolint", ("hadolint",), _DOCKERFILES),
    Linter("shellcheck", ("shellcheck",), ("*.sh",), scripts=True),
)


def files_of(linter: Linter, first_bytes: Mapping[str, bytes]) -> tuple[str, ...]:
    """Choose a linter's files; `first_bytes` has how each file begins."""
    return tuple(
        path
        for path, beginning in first_bytes.items()
        if any(fnmatchcase(path, pattern) for pattern in linter.patterns)
        or (linter.scripts and is_shell(beginning))
    )


def is_shell(beginning: bytes) -> bool:
    """Whether a file that begins so is a script for sh, bash or dash."""
    return bool(_SHELL.match(beginning))


def names(linters: Iterable[Linter] = LINTERS) -> tuple[str, ...]:
    """List the linters' names in their order."""
    return tuple(linter.name for linter in linters)
