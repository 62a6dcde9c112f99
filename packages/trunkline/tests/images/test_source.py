import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from samples import REPOSITORY, Sample
from trunkline.errors import Refusal
from trunkline.git import Repository
from trunkline.images.source import base_images, describe, export, revision_heads
from trunkline.project import project_at

FLAGS = """\
from datetime import date
from pydantic import Field
from pydantic_settings import BaseSettings


class Flags(BaseSettings):
    ENABLE_NEW: bool = Field(False, description="%s", json_schema_extra={"owner": "a"})
"""


def test_the_files_are_those_of_the_commit_and_no_other(
    sample: Sample, tmp_path: Path
) -> None:
    commit = sample.commit("feat: a", {"a.txt": "committed", "run.sh": "#!/bin/sh"})
    sample.write("a.txt", "edited")
    sample.write("secret.env", "not added")
    sample.commit("feat: b", {"b.txt": "later"})
    root = export(Repository.find(sample.root), commit, tmp_path)
    assert (root / "a.txt").read_text() == "committed"
    assert not (root / "secret.env").exists()
    assert not (root / "b.txt").exists()
    assert not (root / ".git").exists()


def test_builds_with_pointers_of_git_lfs_are_refused_by_name(
    sample: Sample, tmp_path: Path
) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    commit = sample.commit("feat: a model", {"src/model.bin": pointer})
    with pytest.raises(Refusal, match="rule `lfs`") as caught:
        export(Repository.find(sample.root), commit, tmp_path)
    assert "src/model.bin" in caught.value.found
    assert "git lfs untrack src/model.bin && git add --renorm" in caught.value.fix


def test_the_mode_of_a_file_is_that_of_git_and_not_of_who_builds(
    sample: Sample, tmp_path: Path
) -> None:
    sample.write("run.sh", "#!/bin/sh")
    (sample.root / "run.sh").chmod(0o777)
    sample.git("add", "run.sh")
    commit = sample.commit("feat: run")
    sample.git("config", "tar.umask", "0077")
    root = export(Repository.find(sample.root), commit, tmp_path)
    assert (root / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (root / "pyproject.toml").stat().st_mode & 0o777 == 0o644


def test_flags_and_migrations_are_those_of_the_commit(
    sample: Sample, tmp_path: Path
) -> None:
    text = sample.read("pyproject.toml")
    text = text.replace(
        "[tool.trunkline]\n", '[tool.trunkline]\nmigrations = "steps"\n'
    )
    text = text.replace("my_app.config:Flags", "sample_flags:Flags")
    commit = sample.commit(
        "feat: a flag",
        {
            "pyproject.toml": text,
            "src/sample_flags.py": FLAGS % "then",
            "steps/1.py": 'revision: str = "a1"\ndown_revision = None\n',
            "steps/2.py": 'revision = "b2"\ndown_revision: str | None = "a1"\n',
        },
    )
    sample.write("src/sample_flags.py", FLAGS % "now")
    repository = Repository.find(sample.root)
    root = export(repository, commit, tmp_path)
    project = project_at(repository, commit)
    source = describe(repository, commit, project=project, branch="b", root=root)
    assert json.loads(source.flags)["ENABLE_NEW"]["description"] == "then"
    assert source.migrations == '["b2"]'
    assert source.subject == "feat: a flag"
    assert source.created.endswith("Z")


@pytest.mark.parametrize(
    ("steps", "heads"),
    [
        ({}, []),
        ({"a": None}, ["a"]),
        ({"a": None, "b": "a", "c": "a"}, ["b", "c"]),
        ({"a": None, "b": "a", "c": "a", "d": ("b", "c")}, ["d"]),
    ],
)
def test_heads_are_what_no_other_revision_builds_upon(
    tmp_path: Path, steps: dict[str, object], heads: list[str]
) -> None:
    for name, below in steps.items():
        text = f"import os\n\nrevision = {name!r}\ndown_revision = {below!r}\n"
        (tmp_path / f"{name}.py").write_text(text)
    assert revision_heads(tmp_path) == heads


@pytest.mark.parametrize(
    "file", ["Dockerfile", "docker/worker.Dockerfile", "packages/desk/Dockerfile"]
)
def test_base_images_are_pinned_where_dependabot_updates_them(file: str) -> None:
    """It reads `FROM name:tag@digest` and follows no argument."""
    text = (REPOSITORY / file).read_text()
    python, uv, *docker = base_images(text, {})
    assert python.startswith("python:3.12-slim-bookworm@sha256:")
    assert uv.startswith("ghcr.io/astral-sh/uv:0.")
    own = "registry.example.com/python@sha256:1"
    assert base_images(text, {"PYTHON_IMAGE": own}) == (own, uv, *docker)
    given = {f"{name}_IMAGE": "python:3" for name in ("PYTHON", "UV", "DOCKER")}
    assert base_images(text, given) == ()
    used = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - {python, uv, *docker}
    arguments = {"${PYTHON_IMAGE}", "${UV_IMAGE}"}
    assert arguments <= used <= arguments | {"base", "deps", "${DOCKER_IMAGE}"}


def test_what_is_compiled_has_wheels_for_both_platforms() -> None:
    """No image has a compiler, and emulated it would take an hour."""
    export = ["uv", "export", "--frozen", "--no-dev", "--all-extras", "--no-emit-local"]
    exported = subprocess.run(
        export, cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    shipped = set(re.findall(r"^([\w-]+)==", exported.stdout, re.MULTILINE))
    lock = tomllib.loads((REPOSITORY / "uv.lock").read_text())
    wheels = {
        package["name"]: {Path(wheel["url"]).stem for wheel in package["wheels"]}
        for package in lock["package"]
        if package["name"] in shipped
    }
    assert "pydantic-core" in wheels
    for name, files in wheels.items():
        for machine in ("x86_64", "aarch64"):
            fits = rf"-any|(cp312-cp312|abi3)-manylinux\S*_{machine}"
            assert any(re.search(fits, file) for file in files), (name, machine)
