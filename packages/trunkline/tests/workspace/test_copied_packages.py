"""Packages from another repository: copied in for dev mode, and given back."""

import json
import os
import signal
from pathlib import Path

import pytest

from samples import Sample
from workspaces import (
    TEAM,
    build_monorepo,
    build_service,
    end_while_locking,
    refused,
    tag_monorepo,
    use,
)

pytestmark = pytest.mark.slow

FOLDER = "packages/road"


@pytest.fixture
def service(tmp_path: Path) -> Sample:
    """A service whose developers use `road` from git, at the tag v0.1.0."""
    sample = build_service(tmp_path)
    build_monorepo(sample, "platform", FOLDER)
    git = f"road @ git+{TEAM}platform.git#subdirectory={FOLDER}"
    ran = sample.run("uv", "add", "-q", "--dev", "--tag", "v0.1.0", git)
    assert ran.code == 0, ran.all
    sample.git("add", "-A")
    sample.commit("build: use road")
    return sample


def says(service: Sample) -> str:
    """What the package answers in the environment that `uv run` makes."""
    ran = service.run("uv", "run", "road")
    assert ran.code == 0, ran.all
    return ran.out.strip()


def files(service: Sample) -> dict[str, tuple[bytes, int]]:
    tree = service.tree()
    return {path: tree[path] for path in tree if not path.startswith(".venv/")}


def edit(service: Sample) -> None:
    file = f"{FOLDER}/src/road/__init__.py"
    service.write(file, service.read(file).replace("Hello", "Edited"))


def test_a_package_is_copied_in_and_runs_with_edits(service: Sample) -> None:
    assert says(service) == "Hello from road!"
    assert "road: prod → dev, editable copy of" in use(service, "dev", "road")
    assert "road = { workspace = true }" in service.read("pyproject.toml")
    assert os.access(service.root / FOLDER / "run.sh", os.X_OK)
    edit(service)
    assert says(service) == "Edited from road!"


def test_there_and_back_changes_no_byte(service: Sample) -> None:
    before = files(service)
    use(service, "dev", "road")
    service.git("add", "-A")
    assert says(service) == "Hello from road!"
    assert f"removes the copy in {FOLDER}" in use(service, "prod", "road")
    service.git("add", "-A")
    assert files(service) == before
    assert says(service) == "Hello from road!"


def test_the_list_shows_where_a_package_comes_from(service: Sample) -> None:
    assert f"{TEAM}platform.git" in service.trunkline("packages").out
    use(service, "dev", "road")
    assert f"{FOLDER} (copied)" in service.trunkline("packages").out
    (member,) = json.loads(service.trunkline("packages", "--json").out)
    assert (member["mode"], member["origin"]["tag"]) == ("dev", "v0.1.0")


def test_only_a_package_that_is_named_is_copied_in(service: Sample) -> None:
    assert "name one of: road" in refused(service, "dev", code=2)


def test_the_locked_commit_is_copied_even_if_the_tag_has_moved(service: Sample) -> None:
    tag_monorepo(service, "platform", "v0.1.0", {f"{FOLDER}/new.txt": "moved\n"})
    use(service, "dev", "road")
    assert not (service.root / FOLDER / "new.txt").exists()
    assert f"{FOLDER}/new.txt differ" in refused(service, "prod", "road")


def test_edits_are_not_thrown_away(service: Sample) -> None:
    use(service, "dev", "road")
    edit(service)
    said = refused(service, "prod", "road")
    assert f"road has your edits: {FOLDER}/src/road/__init__.py differ" in said
    assert f"if in a fork, write its address into {FOLDER}/.trunkline-origin" in said


def test_edits_that_a_fork_publishes_can_be_given_back(service: Sample) -> None:
    use(service, "dev", "road")
    edit(service)
    build_monorepo(service, "fork", FOLDER)
    file = f"{FOLDER}/src/road/__init__.py"
    tag_monorepo(service, "fork", "v0.1.1", {file: service.read(file)})
    origin = f"{FOLDER}/.trunkline-origin.toml"
    service.write(origin, service.read(origin).replace("platform.git", "fork.git"))
    use(service, "prod", "road@0.1.1")
    assert f'git = "{TEAM}fork.git", tag = "v0.1.1"' in service.read("pyproject.toml")
    assert not (service.root / FOLDER).exists()
    assert says(service) == "Edited from road!"


def test_a_version_that_is_asked_for_keeps_edits_beside_it(service: Sample) -> None:
    use(service, "dev", "road")
    edit(service)
    tag_monorepo(service, "platform", "v0.2.0", {})
    assert f"keeps your edited {FOLDER}/src/road" in use(service, "prod", "road@0.2.0")
    assert says(service) == "Hello from road!"
    use(service, "dev", "road")
    assert says(service) == "Edited from road!"


def test_a_file_that_git_ignores_stays(service: Sample) -> None:
    use(service, "dev", "road")
    service.write(f"{FOLDER}/.venv/kept", "")
    assert f"kept: {FOLDER}/.venv/kept" in use(service, "prod", "road")
    assert "road" in service.trunkline("packages").out
    assert list((service.root / FOLDER).iterdir()) == [service.root / FOLDER / ".venv"]


@pytest.mark.parametrize("part", ["subdirectory", "tag", "git"])
def test_a_source_that_cannot_be_read_is_refused(service: Sample, part: str) -> None:
    use(service, "dev", "road")
    file = f"{FOLDER}/.trunkline-origin.toml"
    service.write(file, service.read(file).replace(f'{part} = "', f'{part} = "no/'))
    assert "could not be read at" in refused(service, "prod", "road")


def test_a_folder_that_is_taken_is_refused(service: Sample) -> None:
    service.write(f"{FOLDER}/notes.txt", "mine\n")
    assert f"mv {FOLDER} {FOLDER}.old" in refused(service, "dev", "road")


def test_a_lock_that_fails_leaves_no_copy(service: Sample) -> None:
    said = refused(service, "dev", "road", UV="false")
    assert "`uv lock` failed" in said
    assert not (service.root / FOLDER).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("mode", ["dev", "prod"])
def test_a_run_that_was_ended_can_be_repeated(
    service: Sample, mode: str, number: int
) -> None:
    if mode == "prod":
        use(service, "dev", "road")
    before = service.picture()
    end_while_locking(service, number, mode, "road")
    if number == signal.SIGTERM:
        assert service.picture() == before
    assert service.run("uv", "lock").code == 0
    use(service, mode, "road")
    assert (service.root / FOLDER).exists() == (mode == "dev")
    assert says(service) == "Hello from road!"


def test_a_copy_that_was_removed_by_half_is_removed(service: Sample) -> None:
    use(service, "dev", "road")
    text = service.read("pyproject.toml")
    git = f'{{ git = "{TEAM}platform.git", tag = "v0.1.0", subdirectory = "{FOLDER}" }}'
    text = text.replace("road = { workspace = true }", f"road = {git}")
    text = text.replace(
        "[tool.uv.workspace]", f'[tool.uv.workspace]\nexclude = ["{FOLDER}"]'
    )
    service.write("pyproject.toml", text)
    (service.root / FOLDER / "run.sh").unlink()
    use(service, "prod", "road")
    assert not (service.root / FOLDER).exists()
