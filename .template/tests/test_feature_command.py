"""A service with three features, two of them by `trunkline feature`, is green.

So it is after one was taken out. (That Schemathesis finds no fault in a feature of this
kind is shown by `test_feature_removal.py`.)
"""

import shutil
from pathlib import Path

import pytest

from test_feature_removal import MADE, run

from tests.servers import ROOT

# Names that tests of the platform use for parts of their own.
NAMES = ("notes", "orders")
GATES = (
    ("ruff", "format", "--check", "--no-cache"),
    ("ruff", "check", "--no-cache"),
    ("mypy", "src", "tests"),
    ("lint-imports", "--no-cache"),
    ("trunkline", "flags", "--check"),
    ("pytest", "--cov-report="),
)
EXAMPLES = ("pytest", "--no-cov", "-mslow", "tests/test_schema.py", "-k", "example")


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """Copy the service and add two features to it."""
    ignored = shutil.ignore_patterns(*MADE)
    shutil.copytree(ROOT, tmp_path, ignore=ignored, dirs_exist_ok=True)
    run(tmp_path, "git", "init", "-q", "-b", "main")
    for name in NAMES:
        run(tmp_path, "trunkline", "feature", name)
    return tmp_path


def check(root: Path, *names: str) -> None:
    """Run every gate; all of the features' own lines have to be covered."""
    for gate in GATES:
        run(root, *gate)
    own = ",".join(f"src/my_app/core/{name}/*" for name in names)
    run(root, "coverage", "report", f"--include={own}", "--fail-under=100")


def test_three_features_pass_every_gate(service: Path) -> None:
    check(service, *NAMES)
    run(service, *EXAMPLES)
    run(service, "pytest", "--no-cov", "--flags=on")


def test_taking_one_out_leaves_every_gate_green(service: Path) -> None:
    """The first one's table is dropped by a migration, because another follows it."""
    first, second = NAMES
    run(service, "trunkline", "feature", "--remove", first)
    check(service, second)
