"""Find the uses of feature flags in the syntax tree instead of the text.

A use is the flag's name as an attribute, a variable, a keyword argument or a whole
string (`getattr(flags, "ENABLE_X")`, `os.environ["ENABLE_X"]`). Comments, docstrings
and declarations do not count.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trunkline.errors import FailedError

FLAG = re.compile(r"ENABLE_[A-Z0-9_]*[A-Z0-9]")
_WORD = re.compile(rf"(?<![A-Za-z0-9_]){FLAG.pattern}(?![A-Za-z0-9_])")
# Documents and configuration.
_MENTIONING = {".md", ".yaml", ".yml", ".toml", ".json", ".sh"}


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """One use; printed as `path:line`, which editors and terminals link."""

    path: str
    line: int
    flag: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def find_uses(root: Path, paths: Iterable[str]) -> dict[str, list[Use]]:
    """Search files, relative to `root`; raises FailedError on invalid Python.

    Returns the `uses` in the code, those in `tests`, and `mentions` elsewhere.
    """
    found: dict[str, list[Use]] = {"uses": [], "tests": [], "mentions": []}
    for path in paths:
        name = PurePosixPath(path)
        if name.suffix != ".py" and not _mentions_flags(name):
            continue
        try:
            text = (root / path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue  # Deleted but not yet committed, or not text.
        if name.suffix != ".py":
            found["mentions"] += words(path, text)
        elif "ENABLE_" in text:
            found["tests" if is_test(name) else "uses"] += uses_in(path, text)
    return {kind: sorted(uses) for kind, uses in found.items()}


def uses_in(path: str, text: str) -> Iterator[Use]:
    """Yield the uses of flags in one Python file."""
    try:
        tree = ast.parse(text, path)
    except SyntaxError as error:
        raise FailedError(
            f"{path}:{error.lineno} is not valid Python: {error.msg}; "
            "expected code that compiles: fix it and run this again"
        ) from error
    for node in ast.walk(tree):
        match node:
            case (
                ast.Attribute(attr=str(name), end_lineno=int(line))
                | ast.Name(id=str(name), ctx=ast.Load(), lineno=line)
                | ast.keyword(arg=str(name), lineno=line)
                | ast.Constant(value=str(name), lineno=line)
            ) if FLAG.fullmatch(name):
                yield Use(path, line, name)


def words(path: str, text: str) -> Iterator[Use]:
    """Yield every mention of a flag in a text, once per line."""
    for number, line in enumerate(text.splitlines(), start=1):
        for name in sorted(set(_WORD.findall(line))):
            yield Use(path, number, name)


def is_test(path: PurePosixPath) -> bool:
    """Whether a Python file is a test or lies in a folder of tests."""
    return "tests" in path.parts or path.name.startswith("test_")


def _mentions_flags(path: PurePosixPath) -> bool:
    return (
        path.suffix in _MENTIONING
        or path.name.startswith(".env")
        or path.name in {"Makefile", "Dockerfile"}
    )
