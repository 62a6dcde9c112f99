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


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """One use; printed as `path:line`, which editors and terminals link."""

    path: str
    line: int
    flag: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"

    @property
    def in_tests(self) -> bool:
        """Whether the file is a test or lies in a folder of tests."""
        path = PurePosixPath(self.path)
        return "tests" in path.parts or path.name.startswith("test_")


def find_uses(root: Path, paths: Iterable[str]) -> list[Use]:
    """Search Python files, relative to `root`; raises FailedError on invalid Python."""
    contents = ((path, (root / path).read_bytes()) for path in paths)
    return sorted(
        use
        for path, content in contents
        if b"ENABLE_" in content
        for use in uses_in(path, content)
    )


def uses_in(path: str, content: bytes) -> Iterator[Use]:
    """Yield the uses of flags in one Python file."""
    try:
        tree = ast.parse(content, path)
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
