"""Find imports of modules that are left out with a part."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from trunkline.template.render import ServiceFile


def missing_imports(
    whole: Mapping[str, ServiceFile], files: Mapping[str, ServiceFile]
) -> Iterator[str]:
    """Name imports of modules that a service with all parts has, and this one not."""
    gone = modules(whole) - modules(files)
    for path, file in files.items():
        if path.endswith(".py"):
            try:
                tree = ast.parse(file.content)
            except SyntaxError as error:
                yield f"{path}:{error.lineno}: no longer valid Python: {error.msg}"
                continue
            for line, module in imported(tree, package_of(path)):
                if module in gone:
                    yield f"{path}:{line}: {module} is imported, which is left out"


def modules(files: Mapping[str, ServiceFile]) -> set[str]:
    """Name the modules of a service's code and tests."""
    found = set()
    for path in files:
        parts = PurePosixPath(path).with_suffix("").parts
        if path.endswith(".py") and parts[0] in ("src", "tests"):
            parts = parts[1:] if parts[0] == "src" else parts
            found.add(".".join(parts).removesuffix(".__init__"))
    return found


def package_of(path: str) -> tuple[str, ...]:
    """Name the package that a file's relative imports start from."""
    parts = PurePosixPath(path).parent.parts
    return parts[1:] if parts[:1] == ("src",) else parts


def imported(tree: ast.Module, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield every module that may be imported, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            yield node.lineno, module
            for name in node.names:
                yield node.lineno, f"{module}.{name.name}"
