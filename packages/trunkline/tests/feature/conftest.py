"""A service to which features are added: the template's own, without its history."""

import shutil
from pathlib import Path

import pytest

from samples import REPOSITORY, Sample, environment, identify

PARTS = ("src", "tests", "pyproject.toml")
MADE = shutil.ignore_patterns("__pycache__")


@pytest.fixture
def service(tmp_path: Path) -> Sample:
    """A committed service whose only feature is billing."""
    root = tmp_path / "service"
    env = environment(tmp_path, PYTHONPATH=str(root / "src"))
    sample = Sample(root, tmp_path / "none", env)
    root.mkdir()
    for part in PARTS:
        if (REPOSITORY / part).is_dir():
            shutil.copytree(REPOSITORY / part, root / part, ignore=MADE)
        else:
            shutil.copy(REPOSITORY / part, root / part)
    sample.write(".gitignore", "__pycache__/\n.*_cache/\n")
    sample.git("init", "-q", "-b", "main", ".")
    identify(sample, "team")
    sample.git("add", "--all")
    sample.git("commit", "-q", "-m", "feat: begin")
    return sample
