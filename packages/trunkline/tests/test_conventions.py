"""The conventions of tool and desk: sizes, names, and imports that point one way."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

import trunkline
from samples import REPOSITORY

SOURCE = Path(trunkline.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))
DESK = sorted((REPOSITORY / "packages/desk/src").rglob("*.py"))
OTHERS = [
    file for name in ("src", "benchmarks") for file in (REPOSITORY / name).rglob("*.py")
]
# From the top: each may import what stands below it, and what is beside all subjects.
LAYERS = (
    {"template", "feature", "deploy"},
    {"notes"},
    {"images"},
    {"backport"},
    {"releases"},
    {"registry", "gates"},
    {"commits", "workspace", "loop"},
)
# The plan of a release names the image tags that it will get.
EXCEPTIONS = {("releases", "images")}
# Wording that would sound odd if it were read aloud.
ODD = re.compile(
    r"\b(mend(s|ed|ing)?|goes without|be let|work trees?)\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    graph = grimp.build_graph("trunkline", cache_dir=None)
    return {
        module: graph.find_modules_directly_imported_by(module)
        for module in graph.modules
    }


def parsed(modules: Sequence[Path] = MODULES) -> Iterator[tuple[Path, ast.Module]]:
    for file in modules:
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def test_imports_have_no_cycle(imports: dict[str, set[str]]) -> None:
    TopologicalSorter(imports).prepare()


def test_subjects_import_only_what_stands_below_them(
    imports: dict[str, set[str]],
) -> None:
    levels = {name: level for level, names in enumerate(LAYERS) for name in names}
    upward = [
        f"{importer} imports {imported}"
        for importer, found in imports.items()
        for imported in found
        if (arrow := (subject(importer), subject(imported))) not in EXCEPTIONS
        and arrow[0] not in {arrow[1], "commands"}
        and arrow[1] in levels
        and levels.get(arrow[0], len(LAYERS)) >= levels[arrow[1]]
    ]
    assert upward == []


def test_every_folder_has_its_layer() -> None:
    folders = {file.parent.name for file in SOURCE.glob("*/__init__.py")}
    assert folders <= set().union(*LAYERS)


def subject(module: str) -> str:
    return [*module.split("."), ""][1]


def test_a_file_has_at_most_300_lines() -> None:
    assert [file for file in MODULES + DESK + OTHERS if lines(file) > 300] == []


def test_a_function_has_at_most_40_lines() -> None:
    functions = [
        (file, node)
        for file, tree in parsed(MODULES + DESK)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    long = [
        f"{file}:{node.lineno} {node.name}"
        for file, node in functions
        # What is called so in a migration is a list of tables.
        if node.end_lineno
        and node.end_lineno - node.lineno >= 40
        and node.name != "upgrade"
    ]
    assert long == []


def test_the_name_of_a_class_occurs_once() -> None:
    names = Counter(
        node.name
        for _, tree in parsed()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_the_wording_is_that_of_an_engineer() -> None:
    odd = [
        f"{file.relative_to(SOURCE)}: {found[0]}"
        for file in MODULES
        for found in ODD.finditer(file.read_text(encoding="utf-8"))
    ]
    assert odd == []


def lines(file: Path) -> int:
    return file.read_bytes().count(b"\n")
