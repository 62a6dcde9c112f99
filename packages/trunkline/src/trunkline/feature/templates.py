"""The files of a feature, rendered from templates and formatted as in the service."""

import io
import os
import sys
import tokenize
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from trunkline import process
from trunkline.feature.names import Noun

WITH_TABLE = "with_table"
WITHOUT_TABLE = "without_table"
MIGRATION = "migration.py.txt"


def render(kind: str, noun: Noun, package: str) -> dict[str, str]:
    """Return the files of a feature by their paths in a service, not yet formatted."""
    core, tests = f"src/{package}/core/{noun.plural}", f"tests/core/{noun.plural}"
    files = {f"{tests}/__init__.py": ""}
    for file in (resources.files(__package__) / kind).iterdir():
        if file.name.endswith(".txt") and file.name != MIGRATION:
            folder = tests if file.name.startswith("test_") else core
            name = file.name.removesuffix(".txt").replace("rules", noun.plural)
            template = Template(file.read_text("utf-8"))
            files[f"{folder}/{name}"] = template.substitute(
                noun.spellings(), package=package
            )
    return dict(sorted(files.items()))


def render_migration(
    noun: Noun, *, revision: str, down: Sequence[str], date: str
) -> str:
    """Return the migration that makes the table; it follows the revision `down`."""
    file = resources.files(__package__) / WITH_TABLE / MIGRATION
    return Template(file.read_text("utf-8")).substitute(
        noun.spellings(),
        revision=revision,
        revises="".join(f" {each}" for each in down),
        down=f'"{down[0]}"' if down else "None",
        date=date,
    )


def own_names() -> set[str]:
    """Return the identifiers that a feature's files use, whatever its name."""
    found: set[str] = set()
    for kind in (WITH_TABLE, WITHOUT_TABLE):
        text = "\n".join(render(kind, Noun("zzqs", "zzq"), "zzq").values())
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        found |= {each.string for each in tokens if each.type == tokenize.NAME}
    return {name for name in found if "zzq" not in name.lower()}


def tidy(root: Path, files: Mapping[str, str]) -> dict[str, str]:
    """Sort the imports of files and format them by the rules of the service."""
    beside = Path(sys.executable).parent
    env = {"PATH": os.pathsep.join((str(beside), os.environ.get("PATH", os.defpath)))}
    with TemporaryDirectory() as folder:
        for path, text in files.items():
            Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, path).write_text(text, encoding="utf-8")
        for words in (("check", "--select=I", "--fix"), ("format",)):
            rules = ("--quiet", "--no-cache", "--config", str(root / "pyproject.toml"))
            process.run(["ruff", *words, *rules, folder], cwd=root, env=env, check=True)
        return {path: Path(folder, path).read_text("utf-8") for path in files}
