"""Deleting a feature is deleting its folder, its tests and its line.

Its tables then go by a migration like any other.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT, clean_environment

CORE = Path("src", "my_app", "core")
FEATURES = [
    folder.parent.name
    for folder in (ROOT / CORE).glob("*/__init__.py")
    if folder.parent.name != "platform"
]
# What tools made, and what would make a copy slow.
MADE = (".git", ".venv", ".tools", ".hypothesis", ".*_cache", "__pycache__", "*.db*")
MIGRATION = (
    ("my-app", "migration", "-m", "remove the feature"),
    ("ruff", "format", "src/my_app/migrations"),
    ("ruff", "check", "--fix", "src/my_app/migrations"),
)
GATES = (
    ("ruff", "check", "--no-cache"),
    ("mypy", "src", "tests", "--cache-dir=/dev/null"),
    ("lint-imports", "--no-cache"),
    ("pytest", "--no-cov"),
)


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_can_be_deleted(feature: str, tmp_path: Path) -> None:
    shutil.copytree(
        ROOT, tmp_path, ignore=shutil.ignore_patterns(*MADE), dirs_exist_ok=True
    )

    shutil.rmtree(tmp_path / CORE / feature)
    shutil.rmtree(tmp_path / "tests" / "core" / feature)
    wiring = tmp_path / CORE / "app.py"
    imported = rf"from (my_app\.core|\.) import {feature}\n"
    text = re.sub(imported, "", wiring.read_text())
    wiring.write_text(re.sub(rf"{feature}\.feature,? ?", "", text))

    for gate in (*MIGRATION, *GATES):
        program = Path(sys.executable).with_name(gate[0])
        done = subprocess.run(
            [program, *gate[1:]],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=clean_environment() | {"PYTHONPATH": str(tmp_path / "src")},
            timeout=300,
        )
        assert done.returncode == 0, f"{gate[0]}: {done.stdout}{done.stderr}"
