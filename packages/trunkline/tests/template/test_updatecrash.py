"""An update that is killed with -9, at any step and at any time, ends well."""

import random
from pathlib import Path
from shutil import copytree

import pytest

from generated import tree
from kills import kill_after, kill_at_step
from samples import Sample, environment
from seeds import SEEDS, STRIDE
from updates import acme, team

pytestmark = pytest.mark.slow

UPDATE = ("trunkline", "template", "update")
RECORD = ".git/trunkline/update.json"
# An update starts about this many programs.
STEPS = 51
# Seconds that an update takes on a slow machine.
LONGEST = 1.5


@pytest.fixture(scope="session")
def edited(released_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A service of v0.1.0 with a team's edits; tests copy it."""
    folder = tmp_path_factory.mktemp("edited")
    copytree(released_folder, folder, symlinks=True, dirs_exist_ok=True)
    upstream = Sample(folder / "work", folder / "origin.git")
    upstream.env = environment(folder, XDG_CACHE_HOME=str(folder), UV_OFFLINE="0")
    service = acme(upstream)
    team(service)
    return service


@pytest.fixture
def service(edited: Sample, tmp_path: Path) -> Sample:
    """A copy of it, for one test to kill."""
    copytree(edited.root, tmp_path / "acme", symlinks=True)
    return Sample(tmp_path / "acme", edited.origin, edited.env)


@pytest.fixture(scope="session")
def wanted(
    edited: Sample, tmp_path_factory: pytest.TempPathFactory
) -> tuple[object, str]:
    """What an update makes of it that nobody interrupts: files, and the index."""
    folder = tmp_path_factory.mktemp("wanted") / "acme"
    copytree(edited.root, folder, symlinks=True)
    service = Sample(folder, edited.origin, edited.env)
    ran = service.trunkline(*UPDATE[1:])
    assert "1 conflict" in ran.out, ran.all
    return tree(folder), service.git("ls-files", "--stage")


def check_end(
    service: Sample, before: tuple[object, ...], wanted: tuple[object, str]
) -> None:
    """A killed update has done nothing, or the next one makes it again."""
    begun = (service.root / RECORD).exists()
    done = (tree(service.root), service.git("ls-files", "--stage")) == wanted
    if not begun and not done:
        assert service.picture() == before
    if not done:
        ran = service.trunkline(*UPDATE[1:])
        assert "1 conflict" in ran.out, ran.all
    assert (tree(service.root), service.git("ls-files", "--stage")) == wanted
    assert not (service.root / RECORD).exists() or done
    locks = {path.name for path in (service.root / ".git").rglob("*.lock")}
    assert locks <= {"release.lock"}


@pytest.mark.parametrize("step", range(1, STEPS, STRIDE))
def test_an_update_that_is_killed_at_any_step_ends_well(
    service: Sample, wanted: tuple[object, str], step: int
) -> None:
    before = service.picture()
    kill_at_step(service, step, UPDATE, counted=("git", "uv"))
    check_end(service, before, wanted)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_an_update_that_is_killed_at_any_time_ends_well(
    service: Sample, wanted: tuple[object, str], seed: int
) -> None:
    before = service.picture()
    seconds = random.Random(seed).uniform(0.2, LONGEST)  # noqa: S311 - no secret
    kill_after(service, seconds, UPDATE)
    check_end(service, before, wanted)


def test_edits_since_a_killed_update_are_kept_in_a_stash(
    service: Sample, wanted: tuple[object, str]
) -> None:
    step = 1
    while not (service.root / RECORD).exists():
        kill_at_step(service, step, UPDATE, counted=("git", "uv"))
        (service.root.parent / "killers").rename(service.root.parent / f"k{step}")
        step += 1
    service.write("CONTRIBUTING.md", "# Written since\n")
    ran = service.trunkline(*UPDATE[1:])
    said = "an update was interrupted and begins again"
    assert (ran.code, said in ran.err) == (1, True), ran.all
    assert tree(service.root) == wanted[0]
    assert service.git("show", "stash@{0}:CONTRIBUTING.md") == "# Written since"
    assert "an update of the template" in service.git("stash", "list")


def test_there_is_no_step_after_those_at_which_it_is_killed(service: Sample) -> None:
    assert not kill_at_step(service, STEPS, UPDATE, counted=("git", "uv"))
    count = (service.root.parent / "killers/count").read_text().count("x")
    assert STEPS - 5 <= count < STEPS
