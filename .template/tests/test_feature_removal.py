"""Several features stand side by side, and each can be deleted by hand.

Deleting one is deleting its folder, its tests and its line. Its tables then go by a
migration like any other.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import second_feature
from second_feature import CORE

from tests.servers import ROOT, clean_environment

SHIPPED = [
    folder.parent.name
    for folder in (ROOT / CORE).glob("*/__init__.py")
    if folder.parent.name != "platform"
]
# What tools made, and what would make a copy slow; what mypy knows makes it faster.
CACHES = (".hypothesis", ".[!m]*_cache", "__pycache__")
MADE = (".git", ".venv", ".tools", "my-app.db*", *CACHES)
GATES = (
    ("ruff", "check", "--no-cache"),
    ("mypy", "src", "tests"),
    ("lint-imports", "--no-cache"),
    ("pytest", "--no-cov", "--flags=on"),
    ("pytest", "--no-cov"),
)
# Every request that its document allows, too: that with the flags on has them all.
SCHEMA = ("pytest", "--no-cov", "-mslow", "tests/test_schema.py", "-knot False")


@pytest.fixture
def two_features(tmp_path: Path) -> Path:
    """Copy the service and add a second feature to it, with its migration."""
    shutil.copytree(
        ROOT, tmp_path, ignore=shutil.ignore_patterns(*MADE), dirs_exist_ok=True
    )
    second_feature.add(tmp_path)
    write_migration(tmp_path, "store customers")
    return tmp_path


def run(root: Path, *command: str) -> None:
    """Run a program of the environment in a copy; it has to succeed."""
    environment = clean_environment()
    programs = (str(Path(sys.executable).parent), environment["PATH"])
    environment["PATH"] = os.pathsep.join(programs)
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=root,
        env=environment | {"PYTHONPATH": str(root / "src")},
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


def write_migration(root: Path, subject: str) -> None:
    run(root, "my-app", "migration", "-m", subject)
    run(root, "ruff", "format", "src/my_app/migrations")
    run(root, "ruff", "check", "--fix", "src/my_app/migrations")


def test_a_second_feature_passes_every_gate(two_features: Path) -> None:
    """It deletes, answers with nothing, lists by cursor and hides behind a flag."""
    for gate in (*GATES, SCHEMA):
        run(two_features, *gate)


@pytest.mark.parametrize("feature", [*SHIPPED, "customers"])
def test_a_feature_can_be_deleted(feature: str, two_features: Path) -> None:
    shutil.rmtree(two_features / CORE / feature)
    shutil.rmtree(two_features / "tests" / "core" / feature)
    wiring = two_features / CORE / "app.py"
    text = wiring.read_text().replace(f"    {feature}.feature,\n", "")
    imported = re.search(r"from \. import (.+)\n", text)
    assert imported
    left = ", ".join(name for name in imported[1].split(", ") if name != feature)
    wiring.write_text(text.replace(imported[0], f"from . import {left}\n"))
    write_migration(two_features, "remove the feature")

    for gate in GATES:
        run(two_features, *gate)
