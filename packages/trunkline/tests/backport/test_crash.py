"""A backport that is killed with -9, at every step and at any time, ends well."""

import random

import pytest

from hotfixes import backported, headings, release_hotfix
from kills import kill_after, kill_at_step, start
from samples import Sample
from seeds import SEEDS, STRIDE

RECORD = ".git/trunkline/backport.json"
# A backport starts about this many programs, the longest kind a few more.
STEPS = 27
QUICK = (14, 17, 19, 22)
# Seconds that a backport takes on a slow machine.
LONGEST = 1.0

BACKPORT = ("trunkline", "backport", "v1.1.1")
COUNTED = ("git",)


def check_end(sample: Sample, before: tuple[object, ...], *, abort: bool) -> None:
    """End what the crash has left, and check that nothing else is left of it."""
    if (sample.root / RECORD).exists() and abort:
        backported(sample, "--abort")
        assert sample.picture() == before
    elif (sample.root / RECORD).exists():
        backported(sample, "--continue")
    backported(sample)
    assert headings(sample) == ["v1.2.0", "v1.1.1", "v1.1.0", "v1.0.0"]
    log = sample.git("log", "--format=%s", "origin/main..").splitlines()
    assert log == ["docs(changelog): record v1.1.1", "fix: a crash"]
    assert sample.git("status", "--porcelain") == ""
    assert not (sample.root / RECORD).exists()
    locks = {path.name for path in (sample.root / ".git").rglob("*.lock")}
    assert locks == {"release.lock"}


@pytest.mark.parametrize("step", QUICK)
def test_a_backport_that_is_killed_at_this_step_ends_well(
    step: int, hotfixed: Sample
) -> None:
    before = hotfixed.picture()
    kill_at_step(hotfixed, step, BACKPORT, counted=COUNTED)
    check_end(hotfixed, before, abort=step % 2 == 0)


@pytest.mark.slow
@pytest.mark.parametrize("step", sorted({*range(1, STEPS, STRIDE)} - {*QUICK}))
@pytest.mark.parametrize("abort", [False, True], ids=["continue", "abort"])
def test_a_backport_that_is_killed_at_any_step_ends_well(
    step: int, abort: bool, hotfixed: Sample
) -> None:
    before = hotfixed.picture()
    kill_at_step(hotfixed, step, BACKPORT, counted=COUNTED)
    check_end(hotfixed, before, abort=abort)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_backport_that_is_killed_at_any_time_ends_well(
    seed: int, hotfixed: Sample
) -> None:
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    before = hotfixed.picture()
    kill_after(hotfixed, chance.uniform(0.05, LONGEST), BACKPORT)
    check_end(hotfixed, before, abort=chance.random() < 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("step", range(14, STEPS, STRIDE))
def test_a_backport_with_its_bump_that_is_killed_ends_well(
    step: int, released: Sample
) -> None:
    released.commit("feat: more")
    released.push()
    release_hotfix(released)
    before = released.picture()
    kill_at_step(released, step, BACKPORT, counted=COUNTED)
    if (released.root / RECORD).exists() and step % 4 == 0:
        backported(released, "--abort")
        assert released.picture() == before
    elif (released.root / RECORD).exists():
        backported(released, "--continue")
    backported(released)
    assert (released.version, released.git("status", "--porcelain")) == ("1.1.1", "")
    log = released.git("log", "--format=%s", "origin/main..").splitlines()
    assert log == ["bump: version 1.1.0 → 1.1.1", "fix: a crash"]


def test_of_two_backports_at_once_the_second_finds_nothing_to_do(
    hotfixed: Sample,
) -> None:
    both = [start(hotfixed, BACKPORT) for _ in range(2)]
    assert [process.wait(timeout=600) for process in both] == [0, 0]
    log = hotfixed.git("log", "--format=%s", "origin/main..").splitlines()
    assert log == ["docs(changelog): record v1.1.1", "fix: a crash"]
